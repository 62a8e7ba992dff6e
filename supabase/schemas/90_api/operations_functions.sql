comment on function agg.operations_functions is 'The functions that say how the database does: what grant_operations_access lets a role call.';

create function agg.operations_functions()
returns text[]
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select array['agg_alerts', 'agg_asset', 'agg_check', 'agg_explain', 'agg_fleet', 'agg_health', 'agg_pending', 'agg_runs', 'agg_size'];
$$;
