begin;
select plan(10);

-- Hours of an older deployment; ACME has minutes in some of them.
call tests.clear();
call tests.add_asset('ACME');
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles, covered_minutes,
  expected_minutes, quality_score, raw
)
select 'ACME', '5m', m.ts_utc, 9, 9, 9, 9, '1m', 5, 5, 5, 5, 2, '{"migrated_from": "derived_data_bars", "kept": 1}'
from generate_series(timestamptz '2025-07-01 00:00+00', '2025-07-01 01:55+00', interval '5 minutes') as m (ts_utc);
create function pg_temp.bar(p_ts_utc timestamptz) returns jsonb
language sql as $$
  select jsonb_build_object('close', d.close, 'raw', d.raw, 'is_bar', d.deleted_at is null)
  from public.derived_data_bars as d
  where d.canonical_symbol = 'ACME' and d.timeframe = '5m' and d.ts_utc = p_ts_utc
$$;
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:05+00');
call tests.add_minutes('ACME', '2025-07-01 00:05+00', '2025-07-01 00:07+00');
call tests.add_minutes('ACME', '2025-07-01 01:55+00', '2025-07-01 02:00+00', 9);
call tests.run('2025-07-01 03:00+00');
select is(pg_temp.bar('2025-07-01 00:00+00'), '{"close": 1, "raw": {"kept": 1}, "is_bar": true}', 'is replaced where its window qualifies');
select is(
  pg_temp.bar('2025-07-01 00:05+00'), '{"close": 9, "raw": {"migrated_from": "derived_data_bars", "kept": 1}, "is_bar": true}',
  'stays where the window has too few minutes'
);
select is(
  pg_temp.bar('2025-07-01 00:10+00'), '{"close": 9, "raw": {"migrated_from": "derived_data_bars", "kept": 1}, "is_bar": true}',
  'stays where the window has none'
);
select is(pg_temp.bar('2025-07-01 01:55+00') -> 'raw', '{"kept": 1}', 'is one of pgbars where its minutes make the same of it');
select is_empty('select * from public.agg_verify()', 'is no difference to agg_verify()');
select is(
  (select d.covered_minutes from public.derived_data_bars as d where d.timeframe = '1h' and d.ts_utc = '2025-07-01 01:00+00'), 60,
  'goes into longer bars'
);

delete from public.data_bars as b where b.canonical_symbol = 'ACME';
call tests.run('2025-07-01 03:00+00');
select is(pg_temp.bar('2025-07-01 00:00+00') -> 'is_bar', 'false', 'once replaced it goes with its minutes');
select is(pg_temp.bar('2025-07-01 00:05+00') -> 'is_bar', 'true', 'otherwise it does not');
select is_empty('select * from public.agg_verify()', 'nor is that a difference to agg_verify()');

-- Days of the older deployment began at midnight UTC; those of EURUSD begin at 17:00 in New York, in July at 21:00 UTC.
call tests.add_asset('EURUSD', '{"optional": ["1d"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}}');
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles, covered_minutes,
  expected_minutes, quality_score, raw
)
select 'EURUSD', '1d', m.ts_utc, 9, 9, 9, 9, '1h', 24, 24, 1440, 1440, 2, '{"migrated_from": "derived_data_bars"}'
from (values (timestamptz '2025-07-02 00:00+00'), ('2025-07-02 21:00+00')) as m (ts_utc);
select results_eq(
  $$
    select w.ts_utc, w.change
    from agg.compare_windows(array[jsonb_populate_record(null::agg.build_request, '{
      "symbols": ["EURUSD"], "timeframe": "1d", "source_timeframe": "1h", "window_length": "24:00", "source_length": "01:00",
      "window_time_zone": "America/New_York", "window_origin": "2000-01-02 17:00", "from_utc": "2025-06-30 21:00+00",
      "to_utc": "2025-07-08 21:00+00", "good_percent": 80, "poor_percent": 60, "is_rebuild": true
    }')]) as w
  $$,
  $$ values (timestamptz '2025-07-02 00:00+00', 'remove') $$,
  'a bar that begins where no window of the asset does has to go'
);

select * from finish();
rollback;
