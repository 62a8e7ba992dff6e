comment on function agg.prune_revisions is
  'Deletes revisions that are older than metadata.agg.revisions of their asset allows at p_now, at most p_limit of each kind. Returns how many.';

create function agg.prune_revisions(p_now timestamptz, p_limit integer default 20000)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_default constant interval := agg.revision_age(null);
  v_pruned integer;
begin
  with special as materialized (
    select r.canonical_symbol, agg.revision_age(r.metadata #> '{agg,revisions}') as age
    from public.core_asset_registry_all as r
    where r.metadata #> '{agg,revisions}' is not null
  )
  delete from public.derived_data_bars_revision as v
  where v.ctid = any (array(
    (
      select a.ctid
      from public.derived_data_bars_revision as a
      where a.replaced_at < p_now - v_default
        and a.canonical_symbol <> all (array(select s.canonical_symbol from special as s where s.age > v_default))
      limit p_limit
    )
    union all
    (
      select a.ctid
      from special as s
      join public.derived_data_bars_revision as a on a.canonical_symbol = s.canonical_symbol
      where s.age <> v_default and a.replaced_at < p_now - s.age
      limit p_limit
    )
  ));
  get diagnostics v_pruned = row_count;
  return v_pruned;
end;
$$;
