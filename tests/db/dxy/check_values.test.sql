begin;
select plan(6);

create temporary table rate (component text, weight numeric, price double precision);
insert into rate (component, weight, price) values
  ('EURUSD', -0.576, 1.2976), ('USDJPY', 0.136, 79.846), ('GBPUSD', -0.119, 1.5947),
  ('USDCAD', 0.091, 0.9929), ('USDSEK', 0.042, 6.6491), ('USDCHF', 0.036, 0.9331);
select setseed(0.125);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select r.component, timestamptz '2025-07-01 12:00+00' + m.n * interval '1 minute', p.close, p.close, p.close, p.close, 100
from rate as r
cross join generate_series(0, 999) as m (n)
cross join lateral (
  select case m.n when 0 then 1 when 1 then r.price else r.price * (0.5 + random()) end as close
) as p;

create temporary table calculated as select public.calc_dxy_range_1m('2025-07-01 12:00+00', '2025-07-02 12:00+00') as result;

select is(
  c.result,
  '{"success": true, "inserted": 1000, "updated": 0, "unchanged": 0, "removed": 0, "skipped_incomplete": 0, "derivation_version": 1,
    "timestamp_range": {"from": "2025-07-01T12:00:00+00:00", "to": "2025-07-02T12:00:00+00:00"}}',
  'calc_dxy_range_1m() inserts a bar for every minute with all six rates'
) from calculated as c;
select is(
  (select d.close from public.data_bars as d where d.canonical_symbol = 'DXY' and d.ts_utc = '2025-07-01 12:00+00'),
  50.14348112::double precision, 'calc_dxy_range_1m() gives 50.14348112 where all rates are 1'
);
select is(
  (select round(d.close::numeric, 6) from public.data_bars as d where d.canonical_symbol = 'DXY' and d.ts_utc = '2025-07-01 12:01+00'),
  79.951174, 'calc_dxy_range_1m() gives 79.951174 for the published rates'
);
-- In numeric, with powers where the engine adds logarithms.
select is_empty(
  $$
    select d.ts_utc, d.close
    from public.data_bars as d
    where d.canonical_symbol = 'DXY' and abs(d.close::numeric - (
      select 50.14348112
        * power(max(b.close::numeric) filter (where b.canonical_symbol = 'EURUSD'), -0.576)
        * power(max(b.close::numeric) filter (where b.canonical_symbol = 'USDJPY'), 0.136)
        * power(max(b.close::numeric) filter (where b.canonical_symbol = 'GBPUSD'), -0.119)
        * power(max(b.close::numeric) filter (where b.canonical_symbol = 'USDCAD'), 0.091)
        * power(max(b.close::numeric) filter (where b.canonical_symbol = 'USDSEK'), 0.042)
        * power(max(b.close::numeric) filter (where b.canonical_symbol = 'USDCHF'), 0.036)
      from public.data_bars as b
      where b.ts_utc = d.ts_utc and b.canonical_symbol <> 'DXY'
    )) > 0.00000001
  $$,
  'calc_dxy_range_1m() agrees with the formula to 8 decimals over a thousand random rates'
);
select is_empty(
  $$ select d.ts_utc from public.data_bars as d where d.canonical_symbol = 'DXY' and d.close::numeric <> round(d.close::numeric, 8) $$,
  'calc_dxy_range_1m() rounds to 8 decimals'
);
select is_empty(
  $$
    select d.ts_utc
    from public.data_bars as d
    where d.canonical_symbol = 'DXY'
      and (d.open, d.high, d.low, d.timeframe, d.source, d.vol, d.vwap, d.trade_count, d.is_partial)
        is distinct from (d.close, d.close, d.close, '1m'::text, 'synthetic'::text, 0::double precision, null::double precision, 0::bigint, false)
  $$,
  'calc_dxy_range_1m() stores flat synthetic bars without volume, vwap and trades'
);

select * from finish();
rollback;
