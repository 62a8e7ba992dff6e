comment on function agg.set_updated_at is
  'Sets updated_at of a row that an update changes, where the writer has left it alone. Where another transaction that began later has written the row, it is a microsecond after what that one set: each version of a row has a time of its own.';

create function agg.set_updated_at()
returns trigger
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  new.updated_at := case when old.updated_at > now() then old.updated_at + interval '1 microsecond' else now() end;
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
