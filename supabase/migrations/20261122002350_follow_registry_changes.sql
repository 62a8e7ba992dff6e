create trigger lock_first before insert or delete or truncate or update of canonical_symbol, active, test_active, metadata
  on public.core_asset_registry_all
  for each statement execute function agg.lock_registry_first();
create trigger follow_insert after insert on public.core_asset_registry_all
  referencing new table as changed_assets
  for each statement execute function agg.follow_changed_assets();
create trigger follow_update after update on public.core_asset_registry_all
  referencing new table as changed_assets old table as former_assets
  for each statement execute function agg.follow_updated_assets();
create trigger follow_delete after delete on public.core_asset_registry_all
  referencing old table as changed_assets
  for each statement execute function agg.follow_changed_assets();
create trigger follow_truncate after truncate on public.core_asset_registry_all
  for each statement execute function agg.follow_truncated_registry();
