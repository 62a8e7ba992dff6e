comment on function public.catchup_aggregation_range is
'Builds many windows of one task, and returns the cursor that agg_finish then stores.
Begins with the window after p_start_cursor_utc (null: the stored cursor), never before agg_start_utc, and builds up to p_max_windows windows that have source bars, up to the frontiers at p_until_utc. It steps over gaps. With p_stop_on_zero_source false it also decides the empty windows behind the last source bar. Null p_derivation_version: that of the registry, otherwise that of the stored bar, or 1.
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
  v_result agg.build_result;
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
  if date_bin(v_length, p_start_cursor_utc, timestamptz '2000-01-01 00:00:00+00') <> p_start_cursor_utc then
    raise exception 'cursor % of % % is not the start of a window', p_start_cursor_utc, p_symbol, p_to_tf
      using errcode = 'invalid_parameter_value',
        hint = format('Cursors are aligned to %s in UTC; null goes on from the stored cursor.', v_length);
  end if;

  select r.* into strict v_result
  from agg.build_bars(array(
    select o
    from agg.plan_builds(
      array[p_symbol], p_to_tf, p_until_utc, p_max_windows, p_derivation_version, coalesce(p_stop_on_zero_source, true),
      p_start_cursor_utc
    ) as o
  )) as r;
  perform agg.extend_built_to(p_symbol, p_to_tf, v_result.decided_to_utc);
  v_cursor := v_result.decided_to_utc - v_length;

  return jsonb_build_object(
    'success', true,
    'windows_processed', v_result.windows,
    'windows_empty', extract(epoch from v_result.decided_to_utc - v_result.from_utc)::bigint
      / extract(epoch from v_length)::bigint - v_result.windows,
    'bars_created', v_result.bars,
    'bars_quality_poor', v_result.bars_poor,
    'bars_written', v_result.inserted + v_result.updated,
    'new_cursor', v_cursor,
    'stopped_reason', v_result.stopped_reason,
    'agg_start_enforced', v_task.agg_start_utc
  ) || case v_result.stopped_reason
    when 'cursor_at_frontier' then jsonb_build_object(
      'cursor_position', v_cursor,
      'max_source_ts', (
        select max(b.ts_utc)
        from agg.source_bar as b
        where b.canonical_symbol = p_symbol and b.timeframe = v_task.source_timeframe and b.deleted_at is null
      )
    )
    else '{}'
  end;
end;
$$;
