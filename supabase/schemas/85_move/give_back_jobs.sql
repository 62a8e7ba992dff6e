comment on function agg.give_back_jobs is
  'Removes the jobs of pgbars from pg_cron, makes those active again that the move of an older deployment made inactive, and returns the names of these.';

create function agg.give_back_jobs()
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_names text[] := array[]::text[];
begin
  if exists (select from pg_catalog.pg_extension as e where e.extname = 'pg_cron') then
    execute format(
      $sql$
        with removed as materialized (
          select cron.unschedule(j.jobid) from cron.job as j where j.jobname like %L
        ),
        old as materialized (
          select j.jobid, o.name, cron.alter_job(j.jobid, active => true)
          from cron.job as j
          join agg.moved_object as o on o.kind = 'job' and o.is_taken_over and o.parent = j.jobid::text
        )
        select array(select o.name from old as o order by o.jobid) from (select count(*) from removed) as r
      $sql$,
      'pgbars:%'
    ) into v_names;
  end if;
  return v_names;
end;
$$;
