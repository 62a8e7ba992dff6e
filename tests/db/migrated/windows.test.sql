begin;
select plan(9);

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

select * from finish();
rollback;
