begin;
select plan(6);

select hasnt_extension('pg_cron', 'this database has no pg_cron');
select is(
  public.schedule_jobs(),
  '{"pg_cron": false, "scheduled": [], "removed": [], "message": "nothing is scheduled: pg_cron is not installed in this database"}',
  'schedule_jobs() schedules nothing without pg_cron and says so'
);
select is(
  public.schedule_jobs('test') -> 'pg_cron', 'false', 'schedule_jobs() may be repeated'
);

select is_empty(
  $$ select j.job_name from agg.job_list() as j where strpos(j.command, 'p_env => ''test''') = 0 $$,
  'the environment that it was given is that of the jobs, whoever runs them'
);
do $$ begin perform public.schedule_jobs(); end; $$;
select is((select e.env from agg.environment as e), 'test', 'schedule_jobs() without an environment keeps it');
do $$ begin perform public.schedule_jobs('prod'); end; $$;
select is((select e.env from agg.environment as e), 'prod', 'schedule_jobs() with one changes it');

select * from finish();
rollback;
