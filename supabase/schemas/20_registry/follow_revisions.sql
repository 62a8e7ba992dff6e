comment on function agg.follow_revisions is
  'Raises agg.revision_floor where metadata.agg.revisions of an asset changes, comes or goes.';

create function agg.follow_revisions()
returns trigger
language plpgsql
volatile
-- Writers of the registry have no rights on agg.revision_floor.
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tg_op = 'TRUNCATE' then
    perform agg.raise_revision_floor(r.canonical_symbol, r.metadata #> '{agg,revisions}', null)
    from public.core_asset_registry_all as r;
  elsif tg_op = 'UPDATE' and new.canonical_symbol = old.canonical_symbol then
    perform agg.raise_revision_floor(new.canonical_symbol, old.metadata #> '{agg,revisions}', new.metadata #> '{agg,revisions}');
  else
    if tg_op <> 'INSERT' then
      perform agg.raise_revision_floor(old.canonical_symbol, old.metadata #> '{agg,revisions}', null);
    end if;
    if tg_op <> 'DELETE' then
      perform agg.raise_revision_floor(new.canonical_symbol, null, new.metadata #> '{agg,revisions}');
    end if;
  end if;
  return null;
end;
$$;

create trigger follow_new_revisions after insert on public.core_asset_registry_all
  for each row when (new.metadata #> '{agg,revisions}' is not null)
  execute function agg.follow_revisions();

create trigger follow_changed_revisions after update on public.core_asset_registry_all
  for each row when (
    (old.canonical_symbol, old.metadata #> '{agg,revisions}') is distinct from (new.canonical_symbol, new.metadata #> '{agg,revisions}')
  )
  execute function agg.follow_revisions();

create trigger follow_former_revisions after delete on public.core_asset_registry_all
  for each row when (old.metadata #> '{agg,revisions}' is not null)
  execute function agg.follow_revisions();

create trigger follow_truncated_revisions before truncate on public.core_asset_registry_all
  for each statement execute function agg.follow_revisions();
