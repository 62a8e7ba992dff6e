comment on function agg.raise_revision_floor is
  'Raises agg.revision_floor of a symbol whose revisions are kept for longer by p_revisions than by p_former, both metadata.agg.revisions; null for a symbol that the registry does not have.';

create function agg.raise_revision_floor(p_symbol text, p_former jsonb, p_revisions jsonb)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  -- The clock: until a transaction ends, others keep revisions as before.
  insert into agg.revision_floor as f (canonical_symbol, floor_utc)
  select p_symbol, clock_timestamp() - agg.revision_age(p_former)
  where agg.revision_age(p_revisions) > agg.revision_age(p_former)
  on conflict (canonical_symbol) do update set floor_utc = greatest(f.floor_utc, excluded.floor_utc);
$$;
