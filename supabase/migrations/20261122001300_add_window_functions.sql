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
  v_order agg.build_order;
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
  select o.* into v_order
  from agg.plan_builds(
    array[row(p_symbol, p_timeframe, p_from_utc - v_length)::agg.claim], p_now, null, p_derivation_version, false
  ) as o;

  if v_order.from_utc > p_from_utc then
    v_reason := 'before_agg_start_utc';
  elsif v_order.frontier_utc < p_to_utc then
    v_reason := 'frontier';
  else
    v_order.to_utc := p_to_utc;
    perform agg.build_bars(array[v_order]);
    perform agg.note_built(p_symbol, p_timeframe, p_to_utc);
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
    where b.canonical_symbol = p_symbol and b.timeframe = v_order.source_timeframe
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

create function public.aggregate_1m_to_5m_window(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1, p_now timestamptz default now()
)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select agg.build_single_window(p_symbol, '5m', p_from_utc, p_to_utc, p_derivation_version, p_now);
$$;

create function public.aggregate_5m_to_1h_window(
  p_symbol text, p_from_utc timestamptz, p_to_utc timestamptz, p_derivation_version integer default 1, p_now timestamptz default now()
)
returns jsonb
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  select agg.build_single_window(p_symbol, '1h', p_from_utc, p_to_utc, p_derivation_version, p_now);
$$;

revoke execute on function agg.build_single_window(text, text, timestamptz, timestamptz, integer, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.aggregate_1m_to_5m_window(text, timestamptz, timestamptz, integer, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.aggregate_5m_to_1h_window(text, timestamptz, timestamptz, integer, timestamptz) from public, anon, authenticated, service_role;
grant execute on function public.aggregate_1m_to_5m_window(text, timestamptz, timestamptz, integer, timestamptz) to service_role;
grant execute on function public.aggregate_5m_to_1h_window(text, timestamptz, timestamptz, integer, timestamptz) to service_role;

comment on function agg.build_single_window(text, text, timestamptz, timestamptz, integer, timestamptz) is
  'One window of any timeframe, for the window functions of the contract.';
comment on function public.aggregate_1m_to_5m_window(text, timestamptz, timestamptz, integer, timestamptz) is
  'Builds the one 5m window [p_from_utc, p_to_utc) of p_symbol from its 1m bars and returns success, stored, source_count, and quality_score or the reason it was not stored: insufficient_source_bars, before_agg_start_utc, frontier (not complete at p_now). Moves no cursor, may be repeated. Locks the task''s row to the end of the transaction. Raises invalid_parameter_value for a range that is not exactly one aligned window.';
comment on function public.aggregate_5m_to_1h_window(text, timestamptz, timestamptz, integer, timestamptz) is
  'Builds the one 1h window [p_from_utc, p_to_utc) of p_symbol from its 5m bars; otherwise as aggregate_1m_to_5m_window. frontier also means that the 5m task has not decided the whole hour.';
