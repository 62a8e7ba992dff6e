comment on function agg.lock_registry is
  'Lets one transaction at a time change the registry or sync. The others wait here. Call it before locking rows of the registry: other transactions hold such rows while they wait for it.';

create function agg.lock_registry()
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended('pgbars.registry', 0));
$$;
