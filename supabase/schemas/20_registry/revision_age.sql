comment on function agg.revision_age is
  'How long revisions of the bars of an asset are kept, from metadata.agg.revisions: what agg.kept_for reads; zero for false; 400 days where nothing, or nothing that can be read, is said.';

create function agg.revision_age(p_revisions jsonb)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case when p_revisions = 'false' then interval '0' else coalesce(agg.kept_for(p_revisions), interval '400 days') end;
$$;
