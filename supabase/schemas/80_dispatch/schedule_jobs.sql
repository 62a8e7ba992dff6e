comment on function public.schedule_jobs is
  'Makes the jobs of pg_cron whose names begin with pgbars: those of agg.job_list, no more and no fewer; without pg_cron it schedules nothing and says so. p_env becomes the environment of the database (prod at first), which its jobs work for and changes of the registry take effect in, and the tasks of all assets follow at once; null leaves it as it is. Returns what is scheduled and removed, the environment, and the flag of assets that it goes by: test_active for DEV and TEST in any case, otherwise active. For the owner of the database; may be repeated at any time. Raises invalid_parameter_value for what is no name of an environment.';

create function public.schedule_jobs(p_env text default null)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_env text;
  v_scheduled text[] := array[]::text[];
  v_removed text[] := array[]::text[];
  v_message text := 'nothing is scheduled: pg_cron is not installed in this database';
  v_has_cron constant boolean := exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron');
begin
  if p_env is not null then
    perform agg.set_environment(p_env);
  end if;
  v_env := agg.current_env(null);

  if v_has_cron then
    execute format(
      $sql$
        with removed as materialized (
          select j.jobname, cron.unschedule(j.jobid)
          from cron.job as j
          where j.jobname like %L and j.jobname not in (select l.job_name from agg.job_list() as l)
        ),
        scheduled as materialized (
          select l.job_name, cron.schedule(l.job_name, l.schedule, l.command) from agg.job_list() as l
        )
        select
          array(select s.job_name from scheduled as s order by s.job_name),
          array(select r.jobname::text from removed as r order by r.jobname)
      $sql$,
      'pgbars:%'
    ) into v_scheduled, v_removed;
    v_message := format('%s jobs are scheduled', cardinality(v_scheduled));
  else
    raise notice '%', v_message
      using hint = 'create extension pg_cron; then select schedule_jobs(); or call agg_run_due() from elsewhere each minute.';
  end if;
  return jsonb_build_object(
    'pg_cron', v_has_cron, 'scheduled', to_jsonb(v_scheduled), 'removed', to_jsonb(v_removed),
    'env', v_env, 'flag', case when agg.is_test(v_env) then 'test_active' else 'active' end, 'message', v_message
  );
end;
$$;
