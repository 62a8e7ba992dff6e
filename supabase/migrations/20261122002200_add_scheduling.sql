create function agg.job_list(p_now timestamptz default null)
returns table (job_name text, schedule text, command text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select j.job_name, j.schedule, format(j.command, case when p_now is null then 'now()' else format('%L::timestamptz', p_now) end)
  from (
    values
      (
        'pgbars:dispatch',
        '* * * * *',
        'do $run$ declare v_until constant timestamptz := clock_timestamp() + interval ''40 seconds''; '
          'begin loop exit when public.agg_run_due(p_now => %s, p_time_budget => interval ''0'') '
          '->> ''stopped_reason'' <> ''time_budget''; commit; exit when clock_timestamp() > v_until; end loop; end $run$'
      ),
      ('pgbars:maintain', '*/5 * * * *', 'select public.agg_maintain(p_now => %s)')
  ) as j (job_name, schedule, command);
$$;

create function agg.set_environment(p_env text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if p_env !~ '^[A-Za-z][A-Za-z0-9_-]{0,31}$' then
    raise exception '% is not the name of an environment: a letter, then up to 31 letters, digits, _ or -', quote_literal(left(p_env, 100))
      using errcode = 'invalid_parameter_value';
  end if;
  if p_env = agg.current_env(null) then
    return;
  end if;
  perform agg.lock_registry();
  insert into agg.environment (env) values (p_env) on conflict (is_only) do update set env = excluded.env;
  perform public.sync_agg_state_from_registry();
end;
$$;

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

revoke execute on function agg.job_list(timestamptz) from public, anon, authenticated, service_role;
revoke execute on function agg.set_environment(text) from public, anon, authenticated, service_role;
revoke execute on function public.schedule_jobs(text) from public, anon, authenticated, service_role;

comment on function agg.job_list(timestamptz) is
  'Every job of pgbars: name, cron schedule in UTC, and the SQL to run, at p_now where given, in the environment of the database. The one definition, for pg_cron and for runners without it. The dispatch job commits after each batch and stops after 40 seconds.';
comment on function agg.set_environment(text) is
  'Makes this the environment of the database, and lets all tasks follow. Changes of the registry wait for it, to the end of the transaction. Raises invalid_parameter_value for what is no name.';
comment on function public.schedule_jobs(text) is
  'Makes the jobs of pg_cron whose names begin with pgbars: those of agg.job_list, no more and no fewer; without pg_cron it schedules nothing and says so. p_env becomes the environment of the database (prod at first), which its jobs work for and changes of the registry take effect in, and the tasks of all assets follow at once; null leaves it as it is. Returns what is scheduled and removed, the environment, and the flag of assets that it goes by: test_active for DEV and TEST in any case, otherwise active. For the owner of the database; may be repeated at any time. Raises invalid_parameter_value for what is no name of an environment.';
