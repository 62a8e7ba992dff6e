comment on function agg.lock_registry_first is
  'Calls agg.lock_registry before a statement that may change tasks locks rows. So changes of the registry wait for each other, and for a sync, without a deadlock.';

create function agg.lock_registry_first()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.lock_registry();
  return null;
end;
$$;

create trigger lock_first before insert or delete or truncate or update of canonical_symbol, active, test_active, metadata
  on public.core_asset_registry_all
  for each statement execute function agg.lock_registry_first();
