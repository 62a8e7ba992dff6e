begin;
select plan(12);

call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
values ('DXY', true, '{"is_synthetic": true, "derivation_method": "calc_dxy_range_1m", "agg": {"start_utc": "2025-07-01T00:00:00Z"}}');
create function pg_temp.found(p_check text, p_now timestamptz) returns text
language sql as $$
  select string_agg(concat_ws(' ', c.status, c.subject, c.value), '; ' order by c.subject)
  from public.agg_check(p_now, true) as c
  where c."check" = p_check
$$;

select is(
  pg_temp.found('series', '2025-07-01 01:00+00'), 'WARN DXY 0 bars in the last five minutes, the last is none', 'a series without any component is a warning'
);
select is(pg_temp.found('price_range', '2025-07-01 01:00+00'), 'PASS * no DXY', 'no price is no wrong price');
-- Rates of 2012: the index is 79.951174.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select r.symbol, m.ts_utc, r.price, r.price, r.price, r.price
from (
  values ('EURUSD', 1.2976), ('USDJPY', 79.846), ('GBPUSD', 1.5947), ('USDCAD', 0.9929), ('USDSEK', 6.6491), ('USDCHF', 0.9331)
) as r (symbol, price)
cross join generate_series(timestamptz '2025-07-01 00:00+00', '2025-07-01 00:59+00', interval '1 minute') as m (ts_utc);
call tests.run('2025-07-01 01:00+00');
select is(pg_temp.found('series', '2025-07-01 01:00:30+00'), 'PASS * 1 series up to date, 0 closed', 'four minutes in the last five are enough');
select is(pg_temp.found('components', '2025-07-01 01:00:30+00'), 'PASS * DXY: 6 of 6', 'all components have a bar');
select is(
  pg_temp.found('series', '2025-07-01 01:02+00'), 'WARN DXY 2 bars in the last five minutes, the last is 2025-07-01 00:59:00+00', 'two are a warning'
);
select is(
  pg_temp.found('series', '2025-07-01 01:04+00'), 'FAIL DXY 0 bars in the last five minutes, the last is 2025-07-01 00:59:00+00', 'none is a failure'
);
select is(
  pg_temp.found('components', '2025-07-01 01:04+00'), 'WARN DXY 0 of 6 open components have a bar in the last five minutes',
  'components without a bar are a warning'
);
delete from public.data_bars as b where b.canonical_symbol = 'USDSEK' and b.ts_utc > '2025-07-01 00:50+00';
select is(
  pg_temp.found('components', '2025-07-01 01:00+00'), 'WARN DXY 5 of 6 open components have a bar in the last five minutes', 'one of six is seen'
);
select is(
  (select c.hint from public.agg_check('2025-07-01 01:00+00') as c where c."check" = 'components'),
  'look at the ingest of USDSEK (last bar 2025-07-01 00:50:00+00)', 'and named'
);
select is(
  pg_temp.found('price_range', '2025-07-01 01:00+00'), 'FAIL DXY 79.95 on average over the hour up to 2025-07-01 00:59:00+00, not from 80 to 120',
  'an index below 80 is a failure'
);
update public.data_bars as b set open = 81, high = 81, low = 81, close = 81 where b.canonical_symbol = 'USDJPY';
call tests.run('2025-07-01 01:00+00');
select is(pg_temp.found('price_range', '2025-07-01 01:00+00'), 'PASS * DXY: 80.11', 'one above 80 is not');
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'DXY';
select is(pg_temp.found('series', '2025-07-01 01:04+00'), 'PASS * 0 series up to date, 0 closed', 'a series that is not active is not asked for');

select * from finish();
rollback;
