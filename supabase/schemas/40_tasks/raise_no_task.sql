comment on function agg.raise_no_task is 'Raises no_data_found for a task that does not exist, and says how to get it.';

create function agg.raise_no_task(p_symbol text, p_timeframe text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'there is no task % %', p_symbol, p_timeframe
    using errcode = 'no_data_found',
      hint = 'Add the asset to core_asset_registry_all, then run sync_agg_state_from_registry().';
end;
$$;
