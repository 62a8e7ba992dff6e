begin;
select plan(11);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 10:00+00');
do $$ begin perform public.agg_start('ACME', '5m', '2025-07-01 10:00+00'); end; $$;

create function pg_temp.finish(p_timeframe text, p_cursor timestamptz, p_now timestamptz default '2025-07-01 10:00+00') returns jsonb
language sql as $$ select public.agg_finish('ACME', p_timeframe, true, p_cursor, '{"bars_created": 7, "bars_quality_poor": 2}', p_now => p_now) $$;

select throws_ok(
  $$ select pg_temp.finish('5m', '2025-07-01 01:01+00') $$, '22023', null, 'agg_finish() refuses a misaligned cursor'
);
select throws_ok(
  $$ select pg_temp.finish('5m', '2025-06-30 23:50+00') $$, '22023', null, 'agg_finish() refuses a cursor behind the stored one'
);
select throws_ok(
  $$ select pg_temp.finish('5m', '2025-07-01 09:55+00') $$, '22023', null, 'agg_finish() refuses a cursor beyond the time frontier'
);
select is(
  pg_temp.finish('5m', '2025-07-01 09:50+00'),
  '{"success": true, "status": "idle", "last_agg_bar_ts_utc": "2025-07-01T09:50:00+00:00",
    "next_run_at": "2025-07-01T10:05:00+00:00", "hard_fail_streak": 0}',
  'agg_finish() stores a cursor at the time frontier'
);
select throws_ok(
  $$ select pg_temp.finish('5m', '2025-07-01 09:50+00') $$, '55000', null, 'agg_finish() refuses a task that is not claimed'
);
select results_eq(
  $$
    select s.status, s.running_started_at_utc, s.total_runs, s.total_bars_created, s.total_bars_quality_poor, s.last_successful_at_utc
    from public.data_agg_state as s
    where s.timeframe = '5m'
    order by 1
  $$,
  $$ values ('idle', null::timestamptz, 1::bigint, 7::bigint, 2::bigint, timestamptz '2025-07-01 10:00+00') $$,
  'agg_finish() adds up p_stats'
);

do $$ begin perform public.agg_start('ACME', '1h', '2025-07-02 00:00+00'); end; $$;
select throws_ok(
  $$ select pg_temp.finish('1h', '2025-07-01 09:00+00', '2025-07-02 00:00+00') $$, '22023', null,
  'agg_finish() refuses a cursor beyond the source frontier'
);
select is(
  pg_temp.finish('1h', '2025-07-01 08:00+00', '2025-07-02 00:00+00') -> 'last_agg_bar_ts_utc', '"2025-07-01T08:00:00+00:00"',
  'agg_finish() stores a cursor at the source frontier'
);
do $$ begin perform public.agg_start('ACME', '1h', '2025-07-02 00:00+00'); end; $$;
select is(
  pg_temp.finish('1h', null, '2025-07-02 00:00+00') -> 'last_agg_bar_ts_utc', '"2025-07-01T08:00:00+00:00"',
  'agg_finish() keeps the cursor where none is given'
);
do $$ begin perform public.agg_start('ACME', '5m', '2025-07-02 00:00+00'); end; $$;
select is(
  public.agg_finish('ACME', '5m', false, '2025-07-01 09:55+00', p_fail_kind => 'transient', p_now => '2025-07-02 00:00+00')
    -> 'last_agg_bar_ts_utc', '"2025-07-01T09:50:00+00:00"',
  'agg_finish() moves no cursor after a failure'
);
select throws_ok(
  $$ select public.agg_finish('ACME', '7m', true) $$, '55000', null, 'agg_finish() refuses a task that does not exist'
);

select * from finish();
rollback;
