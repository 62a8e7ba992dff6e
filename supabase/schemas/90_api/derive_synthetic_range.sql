comment on function public.derive_synthetic_range is
  'Computes the 1m bars of a synthetic asset for minutes in [p_from_utc, p_to_utc) from the components, weights and base in its registry metadata, into data_bars. Minutes without all components, or with a price that is not positive, are counted as skipped_incomplete. A synthetic minute that is not complete any more is deleted and counted as removed. Builds just the range it is given, whatever the task''s start and frontiers. Moves no cursor; locks the task''s row to the end of the transaction; repeating it counts unchanged and writes nothing. Version 1 is the flat bar of the closes, version 2 has open and close (high and low are then a lower bound of the true range). Errors raise: invalid_parameter_value, no_data_found.';

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
        hint = 'Its metadata needs is_synthetic, components, component_weights and formula_base.';
  end if;

  -- Two builders of one minute, of which the slower has seen less, would leave what the slower saw.
  perform agg.lock_series(p_symbol, '1m');
  select r.* into strict v_result
  from agg.build_synthetic(array[row(
    p_symbol, '1m', null, interval '1 minute', null, p_from_utc, p_to_utc, p_to_utc, null, null, p_derivation_version,
    null, null, null, null, true
  )::agg.build_request]) as r;
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
