comment on function public.catchup_aggregation_range is
'Builds many windows of one task, and returns the cursor that agg_finish then stores.
Begins with the window after p_start_cursor_utc (null: the stored cursor), never before agg_start_utc, and builds up to p_max_windows windows that have source bars, up to the frontiers at p_until_utc. It steps over a gap in one move, however long. With p_stop_on_zero_source false it also decides the empty windows behind the last source bar. Null p_derivation_version: that of the registry, otherwise that of the stored bar, or 1.
Returns windows_processed (they had source bars), windows_empty (stepped over), bars_created (qualify), bars_quality_poor, bars_written (differed from what stood there), new_cursor, stopped_reason (max_windows, frontier, no_source_data, cursor_at_frontier) and agg_start_enforced; with cursor_at_frontier also cursor_position and max_source_ts (the last source bar, null where there is none).
Stores no cursor; may be repeated. A start ahead of the stored cursor leaves the windows between unbuilt: do not store the cursor that comes of it.
Locks: the task''s row, to the end of the transaction. Raises no_data_found without a task, invalid_parameter_value for bad arguments.';

create function public.catchup_aggregation_range(
  p_symbol text,
  p_to_tf text,
  p_start_cursor_utc timestamptz default null,
  p_max_windows integer default 100,
  p_until_utc timestamptz default now(),
  p_derivation_version integer default null,
  p_stop_on_zero_source boolean default true
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set statement_timeout = '120s'
as $$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_request agg.build_request;
  v_result agg.build_result;
  v_from_utc timestamptz;
  v_windows integer := 0;
  v_bars integer := 0;
  v_poor integer := 0;
  v_written integer := 0;
  v_cursor timestamptz;
begin
  v_task := agg.lock_task(p_symbol, p_to_tf);
  if v_task is null then
    perform agg.raise_no_task(p_symbol, p_to_tf);
  end if;
  select t.duration into strict v_length from agg.timeframe as t where t.timeframe = p_to_tf;
  if p_max_windows is null or p_max_windows < 1 then
    raise exception 'p_max_windows must be at least 1, not %', p_max_windows using errcode = 'invalid_parameter_value';
  end if;
  if p_until_utc is null then
    raise exception 'p_until_utc must not be null' using errcode = 'invalid_parameter_value';
  end if;
  if agg.window_start(p_start_cursor_utc, v_length, v_task.window_time_zone, v_task.window_origin) <> p_start_cursor_utc then
    raise exception 'cursor % of % % is not the start of a window', p_start_cursor_utc, p_symbol, p_to_tf
      using errcode = 'invalid_parameter_value',
        hint = format(
          'Cursors are aligned to %s %s; null goes on from the stored cursor.', v_length,
          case when v_task.window_time_zone is null then 'in UTC' else 'on the clock of ' || v_task.window_time_zone end
        );
  end if;

  v_cursor := p_start_cursor_utc;
  -- A round builds windows in a row. Where gaps are among them, there is room for more behind the last gap.
  loop
    select o.* into strict v_request
    from agg.plan_builds(
      array[p_symbol], p_to_tf, p_until_utc, p_max_windows - v_windows, p_derivation_version, coalesce(p_stop_on_zero_source, true), v_cursor
    ) as o;
    select r.* into strict v_result from agg.build_bars(array[v_request]) as r;
    v_cursor := agg.window_start(
      v_result.decided_to_utc - interval '1 microsecond', v_length, v_task.window_time_zone, v_task.window_origin
    );
    v_from_utc := coalesce(v_from_utc, v_request.from_utc);
    v_windows := v_windows + v_result.windows;
    v_bars := v_bars + v_result.bars;
    v_poor := v_poor + v_result.bars_poor;
    v_written := v_written + v_result.inserted + v_result.updated;
    exit when v_result.stopped_reason <> 'max_windows' or v_windows >= p_max_windows;
  end loop;
  perform agg.extend_built_to(p_symbol, p_to_tf, v_result.decided_to_utc);

  return jsonb_build_object(
    'success', true,
    'windows_processed', v_windows,
    'windows_empty', (
      select count(*)
      from agg.windows_between(
        v_from_utc, v_result.decided_to_utc, v_length, v_task.window_time_zone, v_task.window_origin
      ) as w
    ) - v_windows,
    'bars_created', v_bars,
    'bars_quality_poor', v_poor,
    'bars_written', v_written,
    'new_cursor', v_cursor,
    'stopped_reason', v_result.stopped_reason,
    'agg_start_enforced', v_task.agg_start_utc
  ) || case v_result.stopped_reason
    when 'cursor_at_frontier' then jsonb_build_object(
      'cursor_position', v_cursor,
      'max_source_ts', (
        select max(b.ts_utc)
        from agg.source_bar as b
        where b.canonical_symbol = p_symbol and b.timeframe = v_task.source_timeframe and b.covered_minutes > 0
      )
    )
    else '{}'
  end;
end;
$$;
