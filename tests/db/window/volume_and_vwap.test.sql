begin;
select plan(5);

create temporary table case_bar (symbol text, minute integer, vol double precision, vwap double precision, trade_count bigint);
insert into case_bar (symbol, minute, vol, vwap, trade_count) values
  ('FULL', 0, 1, 10, 1), ('FULL', 1, 3, 20, 2), ('FULL', 2, 4, 30, 3),
  -- The 1000 has no vwap: its volume counts in the sum and not in the weights.
  ('NO_VWAP', 0, 1000, null, 1), ('NO_VWAP', 1, 1, 10, 2), ('NO_VWAP', 2, 3, 30, 3),
  ('NO_VOL', 0, null, 99, null), ('NO_VOL', 1, 2, 10, 2), ('NO_VOL', 2, 2, 20, 3),
  ('ZERO_VOL', 0, 0, 99, 0), ('ZERO_VOL', 1, 2, 10, 2), ('ZERO_VOL', 2, 2, 20, 3),
  ('ALL_ZERO', 0, 0, 10, 0), ('ALL_ZERO', 1, 0, 20, 0), ('ALL_ZERO', 2, 0, 30, 0),
  ('NONE', 0, null, null, null), ('NONE', 1, null, null, null), ('NONE', 2, null, null, null),
  ('NEVER_BOTH', 0, 5, null, 1), ('NEVER_BOTH', 1, null, 20, 1), ('NEVER_BOTH', 2, 0, 30, 1);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
select c.symbol, timestamptz '2025-07-01 00:00+00' + c.minute * interval '1 minute', 1, 1, 1, 1, c.vol, c.vwap, c.trade_count
from case_bar as c;
create temporary table built as
select s.symbol, public.aggregate_1m_to_5m_window(s.symbol, '2025-07-01 00:00+00', '2025-07-01 00:05+00') as result
from (select distinct c.symbol from case_bar as c) as s;

select results_eq(
  'select d.canonical_symbol, d.vol, d.vwap, d.trade_count from public.derived_data_bars as d order by d.canonical_symbol collate "C"',
  $$
    values
      ('ALL_ZERO', 0::double precision, null::double precision, 0::bigint),
      ('FULL', 8, 23.75, 6),
      ('NEVER_BOTH', 5, null, 3),
      ('NONE', null, null, null),
      ('NO_VOL', 4, 15, 5),
      ('NO_VWAP', 1004, 25, 6),
      ('ZERO_VOL', 4, 15, 5)
  $$,
  'build_windows() sums volumes and trades over what is known and weighs vwap over bars that have both parts'
);

-- The hour weighs its 5m bars the same way.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap)
select
  'HOUR', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1,
  case m.n / 5 when 0 then 2 when 1 then 6 when 2 then 500 else null end,
  case m.n / 5 when 0 then 10 when 1 then 30 else null end
from generate_series(0, 59) as m (n);
create temporary table hour as
select public.aggregate_1m_to_5m_window('HOUR', w.ts_utc, w.ts_utc + interval '5 minutes') as result
from generate_series(timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-01 00:55+00', interval '5 minutes') as w (ts_utc);
insert into hour (result)
select public.aggregate_5m_to_1h_window('HOUR', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
select results_eq(
  $$
    select d.vol, d.vwap
    from public.derived_data_bars as d
    where d.canonical_symbol = 'HOUR' and d.timeframe = '1h'
    order by d.ts_utc
  $$,
  'values (2540::double precision, 25::double precision)',
  'build_windows() leaves 5m bars without vwap out of the weights of the hour'
);
select results_eq(
  $$ select distinct d.trade_count from public.derived_data_bars as d where d.canonical_symbol = 'HOUR' order by 1 $$,
  'values (null::bigint)',
  'build_windows() stores no trade count when no source bar has one'
);

-- Volume that has no vwap has no weight at any level: (100 * 10 + 55 * 20 * 20) / (100 + 55 * 20).
call tests.add_asset('DAY', '{"optional": ["15m", "30m", "4h", "1d"], "quality": {"good": 2, "poor": 1}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap)
select
  'DAY', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 15, 20, 10, 15,
  case m.n when 0 then 100 when 1 then 900 else 20 end, case m.n when 0 then 10 when 1 then null else 20 end
from generate_series(0, 56) as m (n);
call tests.add_minute('DAY', '2025-07-02 00:00+00', 15);
call tests.run('2025-07-02 06:00+00');
select results_eq(
  $$
    select d.timeframe, round(d.vwap::numeric, 3), d.vwap_vol, d.vol
    from public.derived_data_bars as d
    where d.canonical_symbol = 'DAY' and d.ts_utc = '2025-07-01 00:00+00' and d.deleted_at is null
    order by 1
  $$,
  $$
    values
      ('15m', 17.222, 360::double precision, 1260::double precision), ('1d', 19.167, 1200, 2100), ('1h', 19.167, 1200, 2100),
      ('30m', 18.485, 660, 1560), ('4h', 19.167, 1200, 2100), ('5m', 13.750, 160, 1060)
  $$,
  'vwap is 19.167 in the hour and in every longer bar'
);
update public.data_bars as b set vwap = 30 where b.canonical_symbol = 'DAY' and b.vol = 900;
call tests.run('2025-07-02 06:00+00');
select results_eq(
  $$
    select distinct round(d.vwap::numeric, 3), d.vwap_vol
    from public.derived_data_bars as d
    where d.canonical_symbol = 'DAY' and d.ts_utc = '2025-07-01 00:00+00' and d.timeframe in ('1h', '4h', '1d')
  $$,
  'values (23.810, 2100::double precision)',
  'once the volume has a vwap it weighs'
);

select * from finish();
rollback;
