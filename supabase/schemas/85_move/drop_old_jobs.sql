comment on function agg.drop_old_jobs is
  'Unschedules the jobs of pg_cron that the move of an older deployment made inactive, where they are so still, and returns their names.';

create function agg.drop_old_jobs()
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
        with old as materialized (
          select j.jobid, o.name, cron.unschedule(j.jobid)
          from cron.job as j
          join agg.moved_object as o on o.kind = %L and o.is_taken_over and o.parent = j.jobid::text
          where not j.active
        )
        select array(select o.name from old as o order by o.jobid)
      $sql$,
      'job'
    ) into v_names;
  end if;
  return v_names;
end;
$$;
