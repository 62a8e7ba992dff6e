comment on function agg.cron_jobs is
  'The jobs of pg_cron that run in this database, as far as the caller may see them: objects with job_name, command and active. None without pg_cron.';

create function agg.cron_jobs()
returns jsonb[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_jobs jsonb[];
begin
  if to_regclass('cron.job') is not null then
    execute format(
      $sql$
        select array_agg(jsonb_build_object('job_name', j.jobname, 'command', j.command, 'active', j.active))
        from cron.job as j
        where j.database = %L
      $sql$,
      current_database()
    ) into v_jobs;
  end if;
  return v_jobs;
end;
$$;
