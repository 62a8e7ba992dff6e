comment on function agg.set_updated_at is
  'Sets updated_at of a row that an update changes, where the writer has left it alone. It never goes back: a transaction may have begun before the one whose row it changes.';

create function agg.set_updated_at()
returns trigger
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := greatest(now(), old.updated_at);
  return new;
end;
$$;

-- *<> compares whole rows whatever their types, also json, which has no equality.
create trigger set_updated_at before update on public.data_bars
  for each row when (old.updated_at is not distinct from new.updated_at and old.* *<> new.*)
  execute function agg.set_updated_at();

create trigger set_updated_at before update on public.derived_data_bars
  for each row when (old.updated_at is not distinct from new.updated_at and old.* *<> new.*)
  execute function agg.set_updated_at();
