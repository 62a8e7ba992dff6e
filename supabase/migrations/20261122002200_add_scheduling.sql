create function agg.job_list(p_env text default null, p_now timestamptz default null)
returns table (job_name text, schedule text, command text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    j.job_name, j.schedule,
    format(
      j.command, coalesce(p_env, e.env), case when p_now is null then 'now()' else format('%L::timestamptz', p_now) end
    )
  from agg.environment as e
  cross join (
    values
      (
        'pgbars:dispatch',
        '* * * * *',
        'do $run$ declare v_until constant timestamptz := clock_timestamp() + interval ''40 seconds''; '
          'begin loop exit when public.agg_run_due(p_env => %1$L, p_now => %2$s, p_time_budget => interval ''0'') '
          '->> ''stopped_reason'' <> ''time_budget''; commit; exit when clock_timestamp() > v_until; end loop; end $run$'
      ),
      ('pgbars:maintain', '*/5 * * * *', 'select public.agg_maintain(p_env => %1$L, p_now => %2$s)')
  ) as j (job_name, schedule, command);
$$;

create function public.schedule_jobs(p_env text default null)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_scheduled text[];
  v_removed text[];
begin
  update agg.environment as e set env = p_env where e.env <> p_env;
  if not exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron') then
    raise notice 'nothing is scheduled: pg_cron is not installed in this database'
      using hint = 'create extension pg_cron; then select schedule_jobs(); or call agg_run_due() from elsewhere each minute.';
    return jsonb_build_object(
      'pg_cron', false, 'scheduled', '[]'::jsonb, 'removed', '[]'::jsonb,
      'message', 'nothing is scheduled: pg_cron is not installed in this database'
    );
  end if;

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
  return jsonb_build_object(
    'pg_cron', true, 'scheduled', to_jsonb(v_scheduled), 'removed', to_jsonb(v_removed),
    'message', format('%s jobs are scheduled', cardinality(v_scheduled))
  );
end;
$$;

revoke execute on function agg.job_list(text, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.schedule_jobs(text) from public, anon, authenticated, service_role;

comment on function agg.job_list(text, timestamptz) is
  'Every job of pgbars: name, cron schedule in UTC, and the SQL to run, in p_env (null: the environment of the database) and at p_now where given. The one definition, for pg_cron and for runners without it. The dispatch job commits after each batch and stops after 40 seconds.';
comment on function public.schedule_jobs(text) is
  'Makes the jobs of pg_cron whose names begin with pgbars: those of agg.job_list, no more and no fewer, and says what it did; without pg_cron it schedules nothing and says so. p_env becomes the environment of the database, which is prod at first: the one that the jobs work for and changes of the registry take effect in; null leaves it as it is. For the owner of the database; may be repeated at any time.';
