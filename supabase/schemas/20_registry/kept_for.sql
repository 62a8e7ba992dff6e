comment on function agg.kept_for is
  'Reads how long something is kept (metadata.agg.keep and revisions), such as "400 days": whole days (up to 9999), weeks, months or years (up to 999). Null where it is not understood: from a longer time no instant could be computed.';

create function agg.kept_for(p_value jsonb)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select case
    when jsonb_typeof(p_value) = 'string' and p_value #>> '{}' ~ '^([1-9][0-9]{0,3} days?|[1-9][0-9]{0,2} (weeks?|months?|years?))$'
    then (p_value #>> '{}')::interval
  end;
$$;
