begin;
select plan(8);

-- Windows that are full, good, poor, too thin and empty; and a session that opens and closes within windows.
call tests.clear();
create function pg_temp.build(p_batch_windows integer) returns text
language plpgsql as $$
declare
  v_done jsonb;
begin
  call tests.clear();
  call tests.add_asset('A');
  call tests.add_asset('ODD', '{"session": {"time_zone": "UTC", "weekly": [{"open": "Tue 00:02", "close": "Tue 00:58"}]}}');
  call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 00:09+00');
  call tests.add_minutes('A', '2025-07-01 00:10+00', '2025-07-01 00:13+00');
  call tests.add_minutes('A', '2025-07-01 00:15+00', '2025-07-01 00:17+00');
  call tests.add_minutes('A', '2025-07-01 00:55+00', '2025-07-01 01:00+00');
  call tests.add_minutes('ODD', '2025-07-01 00:00+00', '2025-07-01 01:00+00', p_high => 2);
  v_done := public.agg_run_due(p_now => '2025-07-01 01:05+00', p_batch_windows => p_batch_windows);
  return format('%s windows, %s bars, %s poor', v_done ->> 'windows', v_done ->> 'bars_created', v_done ->> 'bars_quality_poor');
end;
$$;
create view pg_temp.made as
select d.canonical_symbol, d.timeframe, d.ts_utc, d.high, d.source_candles, d.covered_minutes, d.expected_minutes, d.quality_score
from public.derived_data_bars as d;

-- 24 windows of 5m at once; or one each in a batch.
select is(pg_temp.build(1000), '19 windows, 17 bars, 1 poor', 'windows and bars of a range are counted');
create temp table at_once as select * from pg_temp.made;
select results_eq(
  $$ select s.total_bars_created, s.total_bars_quality_poor from public.data_agg_state as s where s.canonical_symbol = 'A' and s.timeframe = '5m' $$,
  'values (4::bigint, 1::bigint)', 'and of each task'
);
select results_eq(
  $$ select m.covered_minutes, m.expected_minutes, m.quality_score from at_once as m
     where m.canonical_symbol = 'ODD' and m.timeframe = '5m' and m.ts_utc in ('2025-07-01 00:00+00', '2025-07-01 00:55+00') order by m.ts_utc $$,
  'values (3, 3, 2::smallint), (3, 3, 2::smallint)', 'a minute outside the session is in no bar of a range'
);
select is(pg_temp.build(2), '19 windows, 17 bars, 1 poor', 'a window in each batch is counted as a range is');
select set_eq('select * from pg_temp.made', 'select * from at_once', 'and becomes the same bar');

-- Of a row that stands where nothing was built, a range is built as if it had been.
call tests.clear();
call tests.add_asset('A');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 01:00+00', p_high => 2);
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
)
values ('A', '5m', '2025-07-01 00:30+00', 9, 9, 9, 9, '1m', 5, 5, 5, 5, 2);
call tests.run('2025-07-01 01:05+00');
select results_eq(
  $$ select s.total_bars_created, (select count(*) from pg_temp.made as m where m.timeframe = '5m' and m.high = 2)
     from public.data_agg_state as s where s.timeframe = '5m' and s.canonical_symbol = 'A' $$,
  'values (12::bigint, 12::bigint)', 'a bar that stands in a range that was never built is replaced'
);


-- Of rows that stand where there are no minutes, none is counted, and none leads the cursor on.
call tests.clear();
call tests.add_asset('A');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 00:30+00');
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score, created_at
)
values ('A', '5m', '2025-07-01 00:50+00', 9, 9, 9, 9, '1m', 5, 5, 5, 5, 2, '2025-06-01');
call tests.run('2025-07-01 01:05+00');
select results_eq(
  $$ select s.total_bars_created, s.last_agg_bar_ts_utc from public.data_agg_state as s where s.timeframe = '5m' and s.canonical_symbol = 'A' $$,
  $$ values (6::bigint, timestamptz '2025-07-01 00:25+00') $$, 'a row without minutes is no window of a range, and the task waits before it'
);
select is(
  (select m.high from pg_temp.made as m where m.ts_utc = '2025-07-01 00:50+00'), 9::float8, 'until its window is decided'
);

select * from finish();
rollback;
