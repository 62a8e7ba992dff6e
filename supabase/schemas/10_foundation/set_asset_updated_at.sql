comment on function agg.set_asset_updated_at is
  'agg.set_updated_at for the registry, whose generated column has no value yet when the trigger runs.';

create function agg.set_asset_updated_at()
returns trigger
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if to_jsonb(new) - 'is_active' <> to_jsonb(old) - 'is_active' then
    new.updated_at := now();
  end if;
  return new;
end;
$$;

create trigger set_updated_at before update on public.core_asset_registry_all
  for each row when (old.updated_at is not distinct from new.updated_at)
  execute function agg.set_asset_updated_at();
