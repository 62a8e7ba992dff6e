comment on function public.agg_add_change_note is
'Says that source bars changed, after a load with the triggers of data_bars off.
p_symbols: null for all. [p_from, p_to): null for without bound. Too wide a range costs time and changes nothing else.
Call it in the transaction of the load, or after its commit: a note that is committed before the bars may be read before them, and is lost.
Returns success, symbols (how many; null for all), from_utc and to_utc. Raises invalid_parameter_value for an empty range or list.';

create function public.agg_add_change_note(
  p_symbols text[] default null, p_from timestamptz default null, p_to timestamptz default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_from_utc constant timestamptz := coalesce(p_from, '-infinity');
  v_to_utc constant timestamptz := coalesce(p_to, 'infinity');
  v_symbols constant text[] := array(select distinct s.symbol from unnest(p_symbols) as s (symbol));
begin
  if v_from_utc >= v_to_utc then
    raise exception '[%, %) is not a range of time', v_from_utc, v_to_utc
      using errcode = 'invalid_parameter_value', hint = 'p_to is the end: the first instant that did not change.';
  end if;
  if cardinality(p_symbols) = 0 or array_position(p_symbols, null) is not null then
    raise exception 'p_symbols must be symbols, not %', p_symbols
      using errcode = 'invalid_parameter_value', hint = 'null means every symbol.';
  end if;
  insert into agg.change_note (symbols, from_utc, to_utc)
  select
    case when p_symbols is not null then v_symbols end,
    array_fill(v_from_utc, array[n.entries]), array_fill(v_to_utc, array[n.entries])
  from (select greatest(cardinality(v_symbols), 1)) as n (entries);
  perform agg.fold_notes();
  return jsonb_build_object(
    'success', true,
    'symbols', case when p_symbols is null then null else cardinality(v_symbols) end,
    'from_utc', p_from,
    'to_utc', p_to
  );
end;
$$;
