comment on function agg.set_revisions_since is
  'Moves revisions_since of an asset on where an update changes metadata.agg.revisions: what was kept by the former setting is whole from then on, and nothing brings back what it let go.';

create function agg.set_revisions_since()
returns trigger
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  new.revisions_since := greatest(old.revisions_since, now() - agg.revision_age(old.metadata #> '{agg,revisions}'));
  return new;
end;
$$;

create trigger set_revisions_since before update on public.core_asset_registry_all
  for each row when (old.metadata #> '{agg,revisions}' is distinct from new.metadata #> '{agg,revisions}')
  execute function agg.set_revisions_since();
