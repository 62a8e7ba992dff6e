-- On Supabase pg_cron is there to be enabled; elsewhere it may be missing or belong to another database.
do $$
begin
  if exists (select from pg_catalog.pg_available_extensions as a where a.name = 'pg_cron' and a.installed_version is null) then
    create extension pg_cron;
  end if;
exception when others then
  raise notice 'pg_cron could not be enabled: %', sqlerrm;
end;
$$;

select public.schedule_jobs();

select public.sync_agg_state_from_registry();
