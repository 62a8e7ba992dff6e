begin;
select plan(7);

call tests.add_asset('FX', '{"start_utc": "2025-07-04T20:00:00Z"}');

-- Friday evening, Sunday evening, and a month later.
call tests.add_minutes('FX', '2025-07-04 20:00+00', '2025-07-04 21:00+00');
call tests.add_minutes('FX', '2025-07-06 21:00+00', '2025-07-06 22:00+00');
call tests.add_minutes('FX', '2025-08-06 21:00+00', '2025-08-06 22:00+00');

create function pg_temp.advance(p_timeframe text, p_max_windows integer, p_now timestamptz) returns jsonb
language sql as $$
  select tests.work('FX', p_timeframe, p_now, p_max_windows) - array['success', 'agg_start_enforced', 'bars_quality_poor', 'bars_written']
$$;

select is(
  pg_temp.advance('5m', 13, '2025-07-07 00:00+00'),
  '{"windows_processed": 13, "windows_empty": 576, "bars_created": 13, "new_cursor": "2025-07-06T21:00:00+00:00", "stopped_reason": "max_windows"}',
  'catchup_aggregation_range() steps over a weekend in one call, its empty windows not counted against p_max_windows'
);
select is(
  pg_temp.advance('5m', 100, '2025-07-07 00:00+00'),
  '{"windows_processed": 11, "windows_empty": 0, "bars_created": 11, "new_cursor": "2025-07-06T21:55:00+00:00", "stopped_reason": "no_source_data"}',
  'catchup_aggregation_range() waits at the data frontier'
);
select is(
  pg_temp.advance('5m', 12, '2025-08-07 00:00+00'),
  '{"windows_processed": 12, "windows_empty": 8916, "bars_created": 12, "new_cursor": "2025-08-06T21:55:00+00:00", "stopped_reason": "max_windows"}',
  'catchup_aggregation_range() steps over a month in one call'
);
select is(
  pg_temp.advance('1h', 3, '2025-08-07 00:00+00'),
  '{"windows_processed": 3, "windows_empty": 791, "bars_created": 3, "new_cursor": "2025-08-06T21:00:00+00:00", "stopped_reason": "frontier"}',
  'catchup_aggregation_range() steps over weekend and month at 1h, up to its source'
);
select results_eq(
  $$ select d.ts_utc, d.quality_score::integer from public.derived_data_bars as d where d.timeframe = '1h' order by d.ts_utc $$,
  $$ values (timestamptz '2025-07-04 20:00+00', 2), ('2025-07-06 21:00+00', 2), ('2025-08-06 21:00+00', 2) $$,
  'catchup_aggregation_range() stores the hours on both sides of the gaps and none within'
);
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '5m'), 36::bigint,
  'catchup_aggregation_range() stores the 5m bars on both sides of the gaps and none within'
);
select is(
  pg_temp.advance('5m', 100, '2025-08-07 00:00+00'),
  '{"windows_processed": 0, "windows_empty": 0, "bars_created": 0, "new_cursor": "2025-08-06T21:55:00+00:00", "stopped_reason": "no_source_data"}',
  'catchup_aggregation_range() leaves the cursor where it waits for data'
);

select * from finish();
rollback;
