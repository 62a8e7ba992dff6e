begin;
select plan(13);

call tests.clear();
do $$ begin perform public.schedule_jobs(p_lanes => 3); end; $$;
select results_eq(
  'select j.job_name, j.schedule from agg.job_list() as j order by j.job_name',
  $$
    values
      ('pgbars:dispatch', '* * * * *'), ('pgbars:dispatch-2', '* * * * *'), ('pgbars:dispatch-3', '* * * * *'),
      ('pgbars:maintain', '*/5 * * * *')
  $$,
  'job_list() lists a dispatcher for each lane'
);
select results_eq(
  $$
    select j.job_name, substring(j.command from 'p_lane => (\d)')
    from agg.job_list() as j
    where j.job_name like 'pgbars:dispatch%'
    order by j.job_name
  $$,
  $$ values ('pgbars:dispatch', '1'), ('pgbars:dispatch-2', '2'), ('pgbars:dispatch-3', '3') $$,
  'job_list() says to each dispatcher which lane it has'
);
select is(public.schedule_jobs() ->> 'lanes', '3', 'schedule_jobs() without a number of lanes keeps it');
select is((select e.env from agg.environment as e), 'prod', 'schedule_jobs() with a number of lanes keeps the environment');
select is(public.schedule_jobs('test') ->> 'lanes', '3', 'schedule_jobs() with an environment keeps the number of lanes');
select is(public.schedule_jobs('prod', 1) ->> 'lanes', '1', 'schedule_jobs() changes the number of lanes');
select results_eq(
  $$ select count(*) from agg.job_list() $$, $$ values (2::bigint) $$, 'job_list() leaves out lanes that were taken away'
);
select throws_ok('select public.schedule_jobs(p_lanes => 0)', '22023', 'p_lanes must be from 1 to 4, not 0', 'schedule_jobs() refuses no lane');
select throws_ok('select public.schedule_jobs(p_lanes => 5)', '22023', 'p_lanes must be from 1 to 4, not 5', 'schedule_jobs() refuses five lanes');

select throws_ok(
  'select public.agg_run_due(p_lane => 0)', '22023', 'p_lane must be from 1 to 4, not 0', 'agg_run_due() refuses a lane that cannot be'
);
select throws_ok(
  'select public.agg_run_due(p_lane => null)', '22023', 'p_lane must be from 1 to 4, not null', 'agg_run_due() refuses no lane'
);
do $$
begin
  perform public.agg_run_due(p_now => '2025-07-01 00:10+00');
  perform public.agg_run_due(p_now => '2025-07-01 00:10+00', p_lane => 2);
end;
$$;
select results_eq(
  'select l.lane, l.stopped_reason from agg.run_log as l order by l.run_id',
  $$ values (1::smallint, 'idle'), (2::smallint, 'idle') $$,
  'agg.run_log holds the lane'
);

-- Each takes its half: the first run of two lanes leaves work to the other.
do $$ begin perform public.schedule_jobs(p_lanes => 2); end; $$;
call tests.add_asset('A');
call tests.add_asset('B');
call tests.add_asset('C');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 00:05+00');
call tests.add_minutes('B', '2025-07-01 00:00+00', '2025-07-01 00:05+00');
call tests.add_minutes('C', '2025-07-01 00:00+00', '2025-07-01 00:05+00');
select results_eq(
  $$ select (agg.run_batch(p_now => '2025-07-01 00:10+00')).tasks from generate_series(1, 3) $$,
  $$ values (2), (1), (0) $$,
  'agg.run_batch() takes half of what is due, rounded up, where there are two lanes'
);

select * from finish();
rollback;
