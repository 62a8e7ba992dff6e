comment on function public.aggregate_window is
'Builds one window of a symbol, of any timeframe above 1m, now.
p_from_utc is the start of the window: in UTC up to 1h, beyond that on the clock of the asset (metadata.agg.day_close). p_to_utc is its end; null: the window says it. Null p_derivation_version: that of the stored bar, or 1. p_now is the clock. Moves no cursor; may be repeated.
Returns success, stored, source_count, and quality_score or the reason why no bar was stored: insufficient_source_bars, before_agg_start_utc, frontier (not complete at p_now).
Locks: the task''s row, to the end of the transaction. Raises invalid_parameter_value for another range, and for an unknown timeframe.';

create function public.aggregate_window(
  p_symbol text,
  p_timeframe text,
  p_from_utc timestamptz,
  p_to_utc timestamptz default null,
  p_derivation_version integer default null,
  p_now timestamptz default now()
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_window record;
  v_request agg.build_request;
  v_quality smallint;
  v_source_count integer;
  v_reason text;
begin
  select t.duration into v_length from agg.timeframe as t where t.timeframe = p_timeframe and t.source_timeframe is not null;
  if not found then
    raise exception '% is not a timeframe that is built from minutes', coalesce(p_timeframe, 'null')
      using errcode = 'invalid_parameter_value', hint = format('Timeframes are %s.', agg.timeframe_list());
  end if;
  if p_from_utc is null or not isfinite(p_from_utc) then
    raise exception '% %: % is not the start of a window', p_symbol, p_timeframe, coalesce(p_from_utc::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Give the instant at which a window starts.';
  end if;
  select s.* into v_task from public.data_agg_state as s where s.canonical_symbol = p_symbol and s.timeframe = p_timeframe;
  v_window := agg.window_bounds(
    p_from_utc, v_length, v_task.window_time_zone, coalesce(v_task.window_origin, timestamp '2000-01-03 00:00:00')
  );
  if p_symbol is null or v_window.starts_utc <> p_from_utc or v_window.ends_utc <> p_to_utc then
    raise exception '% %: [%, %) is not one % window', p_symbol, p_timeframe, p_from_utc, coalesce(p_to_utc, v_window.ends_utc), p_timeframe
      using errcode = 'invalid_parameter_value',
        hint = case
          when v_task.window_time_zone is null
            then format('Give the start of a window, aligned to %s in UTC, and the instant %s later.', v_length, v_length)
          else format('The window is [%s, %s).', v_window.starts_utc, v_window.ends_utc)
        end;
  end if;

  perform agg.lock_series(p_symbol, p_timeframe);
  select o.* into v_request
  from agg.plan_builds(
    array[p_symbol], p_timeframe, p_now, null, p_derivation_version, false,
    agg.window_start(
      p_from_utc - interval '1 microsecond', v_length, v_task.window_time_zone, coalesce(v_task.window_origin, timestamp '2000-01-03 00:00:00')
    )
  ) as o;

  if v_request.from_utc > p_from_utc then
    v_reason := 'before_agg_start_utc';
  elsif v_request.frontier_utc < v_window.ends_utc then
    v_reason := 'frontier';
  else
    v_request.to_utc := v_window.ends_utc;
    perform agg.build_bars(array[v_request]);
    perform agg.extend_built_to(p_symbol, p_timeframe, v_window.ends_utc);
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
      and b.ts_utc >= p_from_utc and b.ts_utc < v_window.ends_utc and b.covered_minutes > 0;
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
