comment on function public.derive_synthetic_range is
  'Computes the 1m bars of a synthetic asset from its components, into data_bars, for minutes in [p_from_utc, p_to_utc).
Components, weights and base are those of the registry. p_derivation_version 1 is the flat bar of the closes. 2 has open and close; its high and low are a lower bound of the true range.
Minutes without all components, or whose price is not a positive number, count as skipped_incomplete. A synthetic minute that is not complete any more is deleted and counts as removed. Prices have 8 decimals, and below 1 so many more that 8 significant digits stay.
Returns success, inserted, updated, unchanged, removed, skipped_incomplete, derivation_version and timestamp_range (from, to).
Builds just this range, whatever the start and frontiers of the task. Moves no cursor. Locks the row of the task to the end of the transaction. Repeating it counts unchanged and writes nothing.
Raises invalid_parameter_value for a range (also one before what metadata.agg.keep keeps), a version or a basket that cannot be, no_data_found for a symbol that is not a synthetic asset.';

create function public.derive_synthetic_range(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set statement_timeout = '120s'
as $$
declare
  v_floor_utc timestamptz;
  v_request agg.build_request;
  v_result agg.build_result;
begin
  if p_from_utc is null or p_to_utc is null or p_from_utc >= p_to_utc then
    raise exception '[%, %) is not a range of time', p_from_utc, p_to_utc using errcode = 'invalid_parameter_value';
  end if;
  if p_derivation_version is null or p_derivation_version not in (1, 2) then
    raise exception 'p_derivation_version must be 1 (flat) or 2 (open and close), not %', p_derivation_version
      using errcode = 'invalid_parameter_value';
  end if;
  if not exists (
    select from public.core_asset_registry_all as r
    where r.canonical_symbol = p_symbol and r.metadata -> 'is_synthetic' = 'true'
  ) then
    raise exception '% is not a synthetic asset of the registry', p_symbol
      using errcode = 'no_data_found',
        hint = 'Its metadata need is_synthetic, components, component_weights and formula_base.';
  end if;

  v_floor_utc := (
    select max(f.floor_utc)
    from agg.floor as f
    where f.timeframe = '1m' and (
      f.canonical_symbol = p_symbol
      or f.canonical_symbol in (select k.component from agg.synthetic_component as k where k.canonical_symbol = p_symbol)
    )
  );
  if p_from_utc < v_floor_utc then
    raise exception '% cannot be computed before %: its minutes, or those of a component, are not kept (metadata.agg.keep)', p_symbol, v_floor_utc
      using errcode = 'invalid_parameter_value';
  end if;

  v_request.symbols := array[p_symbol];
  v_request.timeframe := '1m';
  v_request.window_length := interval '1 minute';
  v_request.window_origin := timestamp '2000-01-03 00:00:00';
  v_request.from_utc := p_from_utc;
  v_request.to_utc := p_to_utc;
  v_request.frontier_utc := p_to_utc;
  v_request.derivation_version := p_derivation_version;
  v_request.is_rebuild := true;
  -- Of two builders of one minute, the slower one may have seen less, and would replace what the faster one made.
  perform agg.lock_series(p_symbol, '1m');
  select r.* into strict v_result from agg.build_synthetic(array[v_request]) as r;
  perform agg.extend_built_to(p_symbol, '1m', (
    select max(d.ts_utc) + interval '1 minute'
    from public.data_bars as d
    where d.canonical_symbol = p_symbol and d.timeframe = '1m' and d.ts_utc >= p_from_utc and d.ts_utc < p_to_utc
  ));
  return jsonb_build_object(
    'success', true,
    'inserted', v_result.inserted,
    'updated', v_result.updated,
    'unchanged', v_result.bars - v_result.inserted - v_result.updated,
    'removed', v_result.removed,
    'skipped_incomplete', v_result.windows - v_result.bars,
    'derivation_version', p_derivation_version,
    'timestamp_range', jsonb_build_object('from', p_from_utc, 'to', p_to_utc)
  );
end;
$$;
