comment on function agg.revision_age is
  'How long revisions of the bars of an asset are kept, from metadata.agg.revisions: what agg.kept_for reads; zero for false; 400 days where nothing, or nothing that can be read, is said.';

create function agg.revision_age(p_revisions jsonb)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- Not a call of agg.kept_for: readers of bars may call this function and no other.
  select case
    when p_revisions = 'false' then interval '0'
    when jsonb_typeof(p_revisions) = 'string' and p_revisions #>> '{}' ~ '^([1-9][0-9]{0,3} days?|[1-9][0-9]{0,2} (weeks?|months?|years?))$'
      then (p_revisions #>> '{}')::interval
    else interval '400 days'
  end;
$$;
