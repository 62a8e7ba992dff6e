comment on function agg.follow_changed_assets is 'agg.follow_registry for assets that were inserted or deleted, in the transaction of the change.';

create function agg.follow_changed_assets()
returns trigger
language plpgsql
volatile
-- Writers of the registry have no rights on tasks.
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_symbols constant text[] := array(select c.canonical_symbol from changed_assets as c);
begin
  perform agg.follow_registry(v_symbols, v_symbols);
  return null;
end;
$$;

create trigger follow_insert after insert on public.core_asset_registry_all
  referencing new table as changed_assets
  for each statement execute function agg.follow_changed_assets();

create trigger follow_delete after delete on public.core_asset_registry_all
  referencing old table as changed_assets
  for each statement execute function agg.follow_changed_assets();
