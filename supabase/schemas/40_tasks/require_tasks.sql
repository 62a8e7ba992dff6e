comment on function agg.require_tasks is
'Raises no_data_found for a symbol without tasks, and invalid_parameter_value for an unknown timeframe. Null lists are all.';

create function agg.require_tasks(p_symbols text[], p_timeframes text[])
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_unknown text;
begin
  select n.timeframe into v_unknown
  from unnest(p_timeframes) as n (timeframe)
  where not exists (select from agg.timeframe as t where t.timeframe = n.timeframe)
  limit 1;
  if found then
    raise exception '% is not a timeframe', coalesce(v_unknown, 'null')
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  select n.symbol into v_unknown
  from unnest(p_symbols) as n (symbol)
  where not exists (select from public.data_agg_state as s where s.canonical_symbol = n.symbol)
  limit 1;
  if found then
    perform agg.raise_no_task(v_unknown, 'of any timeframe');
  end if;
end;
$$;
