comment on function public.schedule_jobs is
  'Makes the jobs of pg_cron whose names begin with pgbars: those of agg.job_list, no more and no fewer.
p_env becomes the environment of the database (prod at first), and the tasks of all assets follow at once. Its jobs work for this environment, and changes of the registry take effect in it. Null leaves it as it is.
p_lanes: how many dispatch jobs share the work, 1 to 4 (1 at first); two make use of two processors. The jobs of lanes that are taken away are removed. Null leaves it as it is.
p_audit_percent: the share of one processor that agg_maintain spends on verifying history, 0 (none) to 10 percent (5 at first). Null leaves it as it is.
Returns pg_cron (whether it is installed in this database), scheduled and removed (names of jobs), env, flag, lanes, audit_percent and message. flag is the column that says which assets are active: test_active for DEV and TEST in any case, otherwise active.
Where jobs cannot start, message says why, with a notice: pg_cron is not installed, or its launcher does not run. Only a role with the rights of pg_read_all_stats sees the launcher; for others message does not speak of it.
For the owner of the database. Repeating it changes nothing. Raises invalid_parameter_value for a text that is not a name of an environment, or a number out of range.';

create function public.schedule_jobs(p_env text default null, p_lanes integer default null, p_audit_percent integer default null)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_env text;
  v_lanes integer;
  v_scheduled text[] := array[]::text[];
  v_removed text[] := array[]::text[];
  v_message text;
  v_has_cron constant boolean := exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron');
begin
  if p_lanes not between 1 and 4 then
    raise exception 'p_lanes must be from 1 to 4, not %', p_lanes using errcode = 'invalid_parameter_value';
  end if;
  if p_audit_percent not between 0 and 10 then
    raise exception 'p_audit_percent must be from 0 to 10, not %', p_audit_percent using errcode = 'invalid_parameter_value';
  end if;
  if p_env is not null then
    perform agg.set_environment(p_env);
  end if;
  v_env := agg.current_env(null);
  update agg.environment as e set lanes = p_lanes where e.lanes <> p_lanes;
  update agg.environment as e set audit_percent = p_audit_percent where e.audit_percent <> p_audit_percent;
  v_lanes := (select e.lanes from agg.environment as e);

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
    -- The launcher is a background worker of the superuser: other roles see a row without a type.
    if pg_has_role('pg_read_all_stats', 'usage')
      and not exists (select from pg_catalog.pg_stat_activity as a where a.backend_type = 'pg_cron launcher')
    then
      v_message := v_message || ', but none will start: the launcher of pg_cron does not run';
      raise notice '%', v_message
        using hint = 'Restart Postgres with pg_cron in shared_preload_libraries. The log of the server says why the launcher ended.';
    end if;
  else
    v_message := 'nothing is scheduled: pg_cron is not installed in this database';
    raise notice '%', v_message
      using hint = 'create extension pg_cron; then select schedule_jobs(); or call agg_run_due() from elsewhere each minute.';
  end if;
  return jsonb_build_object(
    'pg_cron', v_has_cron, 'scheduled', to_jsonb(v_scheduled), 'removed', to_jsonb(v_removed),
    'env', v_env, 'flag', case when agg.is_test(v_env) then 'test_active' else 'active' end, 'lanes', v_lanes,
    'audit_percent', (select e.audit_percent from agg.environment as e), 'message', v_message
  );
end;
$$;
