comment on function agg.lock_registry is
  'Waits for whoever changes the registry, or syncs, and makes others wait, to the end of the transaction. To be taken before rows of the registry, which others hold while they wait for it.';

create function agg.lock_registry()
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended('pgbars.registry', 0));
$$;
