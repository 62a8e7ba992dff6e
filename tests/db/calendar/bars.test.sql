begin;
select plan(7);

call tests.clear();
-- Two full days of a stock and the half-day between them, with minutes after the close.
call tests.add_asset('ACME', '{
  "start_utc": "2025-07-02T04:00:00Z", "session": "us_equity", "calendar": "XNYS", "optional": ["1d"],
  "day_close": {"time": "00:00", "time_zone": "America/New_York"}
}');
call tests.add_minutes('ACME', '2025-07-02 13:30Z', '2025-07-02 20:00Z', 1);
call tests.add_minutes('ACME', '2025-07-03 13:30Z', '2025-07-03 17:00Z', 2);
call tests.add_minutes('ACME', '2025-07-03 17:00Z', '2025-07-03 20:00Z', 9);
call tests.add_minutes('ACME', '2025-07-04 13:30Z', '2025-07-04 20:00Z', 9);
call tests.add_minutes('ACME', '2025-07-07 13:30Z', '2025-07-07 20:00Z', 3);
-- A day is decided once there are minutes after it.
call tests.add_minutes('ACME', '2025-07-08 13:30Z', '2025-07-08 13:40Z', 4);
call tests.run('2025-07-08 14:30Z');
select results_eq(
  $$
    select d.ts_utc, d.close, d.covered_minutes, d.expected_minutes, d.quality_score::integer
    from public.derived_data_bars as d
    where d.timeframe = '1d' and d.deleted_at is null
    order by 1
  $$,
  $$
    values
      (timestamptz '2025-07-02 04:00Z', 1::double precision, 390, 390, 2), ('2025-07-03 04:00Z', 2, 210, 210, 2),
      ('2025-07-07 04:00Z', 3, 390, 390, 2)
  $$,
  'a half-day has 210 minutes, a holiday has no bar, and minutes outside the calendar are in none'
);
do $$ begin perform public.import_calendar('XNYS', '[{"day": "2025-07-04", "kind": "early_close", "closes_at": "11:00"}]'); end; $$;
call tests.run('2025-07-08 14:35Z');
select results_eq(
  $$
    select d.ts_utc, d.close, d.covered_minutes, d.expected_minutes, d.quality_score::integer
    from public.derived_data_bars as d
    where d.timeframe = '1d' and d.deleted_at is null
    order by 1
  $$,
  $$
    values
      (timestamptz '2025-07-02 04:00Z', 1::double precision, 390, 390, 2), ('2025-07-03 04:00Z', 9, 390, 390, 2),
      ('2025-07-04 04:00Z', 9, 90, 90, 2), ('2025-07-07 04:00Z', 3, 390, 390, 2)
  $$,
  'another calendar corrects the bars that it concerns'
);
select is_empty('select v.* from public.agg_verify() as v', 'and leaves no bar that differs from its minutes');

-- The FX day over both changes of the clock of New York.
call tests.clear();
call tests.add_asset('EURUSD', '{
  "start_utc": "2026-03-06T22:00:00Z", "optional": ["4h", "1d", "1w"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}
}');
call tests.add_minutes('EURUSD', '2026-03-06 22:00Z', '2026-03-10 22:00Z');
call tests.run('2026-03-10 23:00Z');
select results_eq(
  $$
    select d.timeframe, d.ts_utc, d.covered_minutes, d.expected_minutes
    from public.derived_data_bars as d
    where d.timeframe in ('4h', '1d') and d.ts_utc >= '2026-03-07 22:00Z' and d.ts_utc < '2026-03-08 21:00Z' and d.deleted_at is null
    order by d.timeframe desc, d.ts_utc
  $$,
  $$
    values
      ('4h', timestamptz '2026-03-07 22:00Z', 240, 240), ('4h', '2026-03-08 02:00Z', 240, 240), ('4h', '2026-03-08 06:00Z', 180, 180),
      ('4h', '2026-03-08 09:00Z', 240, 240), ('4h', '2026-03-08 13:00Z', 240, 240), ('4h', '2026-03-08 17:00Z', 240, 240),
      ('1d', '2026-03-07 22:00Z', 23 * 60, 23 * 60)
  $$,
  'the day on which summer time begins has 23 hours, and the window from 01:00 has three'
);

call tests.clear();
call tests.add_asset('EURUSD', '{
  "start_utc": "2026-10-30T21:00:00Z", "optional": ["4h", "1d", "1w"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}
}');
call tests.add_minutes('EURUSD', '2026-10-30 21:00Z', '2026-11-03 23:00Z');
call tests.run('2026-11-03 23:30Z');
select results_eq(
  $$
    select d.timeframe, d.ts_utc, d.covered_minutes, d.expected_minutes
    from public.derived_data_bars as d
    where d.timeframe in ('4h', '1d') and d.ts_utc >= '2026-10-31 21:00Z' and d.ts_utc < '2026-11-01 22:00Z' and d.deleted_at is null
    order by d.timeframe desc, d.ts_utc
  $$,
  $$
    values
      ('4h', timestamptz '2026-10-31 21:00Z', 240, 240), ('4h', '2026-11-01 01:00Z', 240, 240), ('4h', '2026-11-01 05:00Z', 300, 300),
      ('4h', '2026-11-01 10:00Z', 240, 240), ('4h', '2026-11-01 14:00Z', 240, 240), ('4h', '2026-11-01 18:00Z', 240, 240),
      ('1d', '2026-10-31 21:00Z', 25 * 60, 25 * 60)
  $$,
  'that on which it ends has 25, and the window from 01:00 has five'
);

-- Another close of the day.
call tests.set_metadata('EURUSD', '{agg,day_close}', '{"time": "00:00", "time_zone": "UTC"}');
call tests.run('2026-11-03 23:35Z');
select results_eq(
  $$
    select d.timeframe, count(*), min(d.ts_utc), max(d.ts_utc), sum(d.covered_minutes)
    from public.derived_data_bars as d
    where d.timeframe in ('4h', '1d') and d.deleted_at is null
    group by 1
    order by 1
  $$,
  $$
    values
      ('1d', 3::bigint, timestamptz '2026-10-31 00:00Z', timestamptz '2026-11-02 00:00Z', 3 * 1440::bigint),
      ('4h', 23, '2026-10-31 00:00Z', '2026-11-03 16:00Z', 23 * 240)
  $$,
  'another day_close leaves bars of the new days alone'
);
select is_empty('select v.* from public.agg_verify() as v', 'which are what their minutes say');

select * from finish();
rollback;
