comment on function agg.revision_age is
  'How long revisions of the bars of an asset are kept, from metadata.agg.revisions: a number of days, weeks, months or years as text; zero for false; 400 days where nothing, or nothing that can be read, is said.';

create function agg.revision_age(p_revisions jsonb)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when p_revisions = 'false' then interval '0'
    when jsonb_typeof(p_revisions) = 'string' and p_revisions #>> '{}' ~ '^[1-9][0-9]{0,3} (day|week|month|year)s?$'
      then (p_revisions #>> '{}')::interval
    else interval '400 days'
  end;
$$;
