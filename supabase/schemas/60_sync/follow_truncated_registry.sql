comment on function agg.follow_truncated_registry is 'agg.follow_registry after truncate, in the transaction of the change.';

create function agg.follow_truncated_registry()
returns trigger
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.follow_registry(null, '{}');
  return null;
end;
$$;

create trigger follow_truncate after truncate on public.core_asset_registry_all
  for each statement execute function agg.follow_truncated_registry();
