comment on function agg.build_single_window is
'Builds one window of any timeframe, for the window functions of the contract.';

create function agg.build_single_window(
  p_symbol text, p_timeframe text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_length interval;
  v_request agg.build_request;
  v_quality smallint;
  v_source_count integer;
  v_reason text;
begin
  select t.duration into strict v_length from agg.timeframe as t where t.timeframe = p_timeframe;
  if p_symbol is null or p_from_utc is null or p_to_utc is null
    or p_to_utc <> p_from_utc + v_length
    or date_bin(v_length, p_from_utc, timestamptz '2000-01-01 00:00:00+00') <> p_from_utc
  then
    raise exception '% %: [%, %) is not one % window', p_symbol, p_timeframe, p_from_utc, p_to_utc, p_timeframe
      using errcode = 'invalid_parameter_value',
        hint = format('Give the start of a window, aligned to %s in UTC, and the instant %s later.', v_length, v_length);
  end if;

  perform agg.lock_series(p_symbol, p_timeframe);
  select o.* into v_request
  from agg.plan_builds(
    array[p_symbol], p_timeframe, p_now, null, p_derivation_version, false, p_from_utc - v_length
  ) as o;

  if v_request.from_utc > p_from_utc then
    v_reason := 'before_agg_start_utc';
  elsif v_request.frontier_utc < p_to_utc then
    v_reason := 'frontier';
  else
    v_request.to_utc := p_to_utc;
    perform agg.build_bars(array[v_request]);
    perform agg.extend_built_to(p_symbol, p_timeframe, p_to_utc);
    select d.quality_score, d.source_candles into v_quality, v_source_count
    from public.derived_data_bars as d
    where d.canonical_symbol = p_symbol and d.timeframe = p_timeframe and d.ts_utc = p_from_utc and d.deleted_at is null;
    if v_quality is null then
      v_reason := 'insufficient_source_bars';
    end if;
  end if;

  if v_source_count is null then
    select count(*) into v_source_count
    from agg.source_bar as b
    where b.canonical_symbol = p_symbol and b.timeframe = v_request.source_timeframe
      and b.ts_utc >= p_from_utc and b.ts_utc < p_to_utc and b.deleted_at is null;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'success', true,
    'stored', v_quality is not null,
    'source_count', v_source_count,
    'quality_score', v_quality,
    'reason', v_reason
  ));
end;
$$;
