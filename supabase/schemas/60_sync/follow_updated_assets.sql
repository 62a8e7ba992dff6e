comment on function agg.follow_updated_assets is
  'agg.follow_registry for assets whose symbol, flags or metadata an update has changed, in the transaction of the change.';

create function agg.follow_updated_assets()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.follow_registry(
    coalesce(array_agg(coalesce(n.canonical_symbol, o.canonical_symbol)), '{}'),
    coalesce(array_agg(n.canonical_symbol) filter (where n.metadata is distinct from o.metadata), '{}')
  )
  from changed_assets as n
  full join former_assets as o on o.canonical_symbol = n.canonical_symbol
  where (n.active, n.test_active, n.metadata) is distinct from (o.active, o.test_active, o.metadata);
  return null;
end;
$$;

create trigger follow_update after update on public.core_asset_registry_all
  referencing new table as changed_assets old table as former_assets
  for each statement execute function agg.follow_updated_assets();
