begin;
select plan(9);

call tests.clear();
call tests.add_asset('ACME');
do $$ begin perform public.agg_start('ACME', '5m', '2025-07-02 00:00:00+00'); end; $$;

create function pg_temp.status_5m() returns text
language sql as $$ select s.status from public.data_agg_state as s where s.timeframe = '5m' $$;

select is(agg.recover_abandoned_claims('2025-07-02 00:14:59+00'), 0, 'recover_abandoned_claims() leaves a claim of less than 15 minutes');
select is(pg_temp.status_5m(), 'running', 'the claim still stands');
select is(agg.recover_abandoned_claims('2025-07-02 00:15:00+00'), 1, 'recover_abandoned_claims() frees a claim of 15 minutes');
select results_eq(
  $$
    select s.status, s.running_started_at_utc, s.next_run_at, s.last_agg_bar_ts_utc, s.hard_fail_streak
    from public.data_agg_state as s
    where s.timeframe = '5m'
    order by 1
  $$,
  $$ values ('idle', null::timestamptz, timestamptz '2025-07-02 00:15+00', timestamptz '2025-06-30 23:55+00', 0) $$,
  'recover_abandoned_claims() makes the task due at once, its cursor where it was'
);
select throws_ok(
  $$ select public.agg_finish('ACME', '5m', true) $$, '55000', null,
  'agg_finish() refuses a worker whose claim was taken back'
);

do $$ begin perform public.agg_start('ACME', '5m', '2025-07-02 01:00:00+00'); end; $$;
select results_eq(
  $$
    select string_agg(d.timeframe, ' ' order by d.run_interval_minutes)
    from (values (timestamptz '2025-07-02 01:14:59+00'), ('2025-07-02 01:15:00+00')) as t (now_utc)
    cross join lateral public.agg_get_due_tasks('prod', 10, t.now_utc) as d
    group by t.now_utc
    order by t.now_utc
  $$,
  $$ values ('1h'), ('5m 1h') $$,
  'agg_get_due_tasks() recovers abandoned claims'
);

do $$ begin perform public.agg_start('ACME', '5m', '2025-07-02 02:00:00+00'); end; $$;
call tests.run_batch('2025-07-02 02:14:59+00', 1000);
select is(pg_temp.status_5m(), 'running', 'agg.run_batch() leaves a claim of less than 15 minutes');
call tests.run_batch('2025-07-02 02:15:00+00', 1000);
select results_eq(
  $$ select s.status, s.total_runs from public.data_agg_state as s where s.timeframe = '5m' order by 1 $$,
  $$ values ('idle', 1::bigint) $$,
  'agg.run_batch() recovers an abandoned claim and runs its task'
);
select is(
  (select count(*) from public.data_agg_state as s where s.status = 'running'), 0::bigint, 'nothing is left running'
);

select * from finish();
rollback;
