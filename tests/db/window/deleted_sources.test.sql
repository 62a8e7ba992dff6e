begin;
select plan(8);

call tests.add_asset('ACME');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ACME', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', m.n + 1, m.n + 1, m.n + 1, m.n + 1
from generate_series(0, 179) as m (n);
call tests.run('2025-07-01 04:00+00');
create function pg_temp.rebuild(p_timeframe text) returns jsonb
language sql as $$
  select public.catchup_aggregation_range('ACME', p_timeframe, timestamptz '2025-07-01 00:00+00' - t.duration, 100, '2025-07-01 04:00+00')
    - 'success' - 'agg_start_enforced' - 'bars_quality_poor'
  from agg.timeframe as t
  where t.timeframe = p_timeframe
$$;

-- The last five minutes of the first hour, and the whole third one.
delete from public.data_bars as b where b.ts_utc between '2025-07-01 00:55+00' and '2025-07-01 00:59+00' or b.ts_utc >= '2025-07-01 02:00+00';
call tests.add_minute('ACME', '2025-07-01 03:00+00');
select is(
  pg_temp.rebuild('5m'),
  '{"windows_processed": 24, "windows_empty": 13, "bars_created": 23, "bars_written": 0, "new_cursor": "2025-07-01T03:00:00+00:00",
    "stopped_reason": "no_source_data"}',
  'catchup_aggregation_range() builds the 5m bars again that still qualify'
);
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '5m' and d.covered_minutes = 0 and d.deleted_at is not null), 13::bigint,
  'build_windows() soft-deletes the 5m bars of emptied windows'
);
select is(
  public.aggregate_5m_to_1h_window('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00', p_now => '2025-07-01 04:00+00'),
  '{"success": true, "stored": true, "source_count": 11, "quality_score": 1}',
  'aggregate_5m_to_1h_window() leaves a soft-deleted 5m bar out'
);
select is(
  (select d.close from public.derived_data_bars as d where d.timeframe = '1h' and d.ts_utc = '2025-07-01 00:00+00'), 55::double precision,
  'aggregate_5m_to_1h_window() takes the close of the last 5m bar that is left'
);
select is(
  pg_temp.rebuild('1h'),
  '{"windows_processed": 2, "windows_empty": 1, "bars_created": 2, "bars_written": 0, "new_cursor": "2025-07-01T02:00:00+00:00",
    "stopped_reason": "frontier"}',
  'catchup_aggregation_range() does not count windows that have lost their minutes as source data; the minute at 03:00 makes them a gap'
);
select results_eq(
  $$ select d.ts_utc, d.deleted_at is null from public.derived_data_bars as d where d.timeframe = '1h' order by d.ts_utc $$,
  $$ values (timestamptz '2025-07-01 00:00+00', true), ('2025-07-01 01:00+00', true), ('2025-07-01 02:00+00', false) $$,
  'build_windows() soft-deletes the hour that has no 5m bar left, behind the last source bar too'
);
select results_eq(
  $$ select g.gap_from_utc, g.gap_to_utc from public.agg_gaps('ACME', '1h') as g order by 1 $$,
  $$ values (timestamptz '2025-07-01 02:00+00', timestamptz '2025-07-01 03:00+00') $$,
  'agg_gaps() counts an hour with nothing but soft-deleted bars as a gap'
);

do $$ begin perform public.catchup_aggregation_range('ACME', '5m', '2025-06-30 23:55+00', 1, '2025-07-01 04:00+00'); end; $$;
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '5m' and d.deleted_at is null), 23::bigint,
  'build_windows() soft-deletes nothing behind the windows that p_max_windows let it decide'
);

select * from finish();
rollback;
