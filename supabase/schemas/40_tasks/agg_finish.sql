comment on function public.agg_finish is
'Releases a claim of agg_start. Call it in the transaction that built the bars.
On success it stores p_new_cursor_utc, which must be the start of a window, not behind the stored cursor and not beyond a frontier (null: unchanged), and adds the counts bars_created and bars_quality_poor of p_stats (what catchup_aggregation_range returned; each from 0 to 10^9). On failure it counts the failure (p_fail_kind transient or hard, p_error the reason) and backs off.
p_claimed_at is claimed_at of agg_start: with it a worker whose claim was taken back cannot release that of another; without it the windows that the cursor passes are built once more by the dispatcher. p_now is the clock.
Returns success, status, last_agg_bar_ts_utc, next_run_at (infinity: the task sleeps until data arrive), hard_fail_streak.
Locks: the task''s row, to the end of the transaction. Raises object_not_in_prerequisite_state without the claim, invalid_parameter_value for bad arguments';

create function public.agg_finish(
  p_symbol text,
  p_tf text,
  p_success boolean,
  p_new_cursor_utc timestamptz default null,
  p_stats jsonb default null,
  p_fail_kind text default null,
  p_error text default null,
  p_now timestamptz default now(),
  p_claimed_at timestamptz default null
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
  v_decided_to_utc timestamptz;
  v_end_utc timestamptz;
  v_frontier_utc timestamptz;
  v_result agg.build_result;
begin
  if p_success is null then
    raise exception 'p_success must be true or false' using errcode = 'invalid_parameter_value';
  end if;
  if not p_success and coalesce(p_fail_kind, '') not in ('transient', 'hard') then
    raise exception 'p_fail_kind must be transient or hard, not %', coalesce(p_fail_kind, 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  v_task := agg.lock_task(p_symbol, p_tf);
  if v_task.running_started_at_utc is null or v_task.running_started_at_utc <> p_claimed_at then
    raise exception 'task % % is not claimed%', p_symbol, p_tf, coalesce(' since ' || p_claimed_at, '')
      using errcode = 'object_not_in_prerequisite_state',
        hint = 'Claim it with agg_start() first. A claim older than 15 minutes counts as abandoned and is taken back.';
  end if;

  v_length := make_interval(mins => v_task.run_interval_minutes);
  v_decided_to_utc := agg.window_end(v_task.last_agg_bar_ts_utc, v_length, v_task.window_time_zone, v_task.window_origin);
  if p_success and p_new_cursor_utc is not null then
    v_end_utc := agg.window_end(p_new_cursor_utc, v_length, v_task.window_time_zone, v_task.window_origin);
    if agg.window_start(p_new_cursor_utc, v_length, v_task.window_time_zone, v_task.window_origin) <> p_new_cursor_utc
      or p_new_cursor_utc < v_task.last_agg_bar_ts_utc
    then
      raise exception 'cursor % of % % is not the start of a window at or after the cursor %',
        p_new_cursor_utc, p_symbol, p_tf, v_task.last_agg_bar_ts_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
    -- A start that was moved ahead leaves the cursor behind it; nothing between them is built.
    select greatest(o.frontier_utc, o.from_utc) into v_frontier_utc
    from agg.plan_builds(array[p_symbol], p_tf, p_now, null, 1) as o;
    if p_new_cursor_utc > v_task.last_agg_bar_ts_utc and v_end_utc > v_frontier_utc then
      raise exception 'cursor % of % % is beyond the frontier %', p_new_cursor_utc, p_symbol, p_tf, v_frontier_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
  end if;

  v_result.symbols := array[p_symbol];
  v_result.timeframe := p_tf;
  v_result.window_length := v_length;
  v_result.window_time_zone := v_task.window_time_zone;
  v_result.window_origin := v_task.window_origin;
  v_result.from_utc := v_decided_to_utc;
  v_result.decided_to_utc := coalesce(v_end_utc, v_decided_to_utc);
  v_result.stopped_reason := left(p_stats ->> 'stopped_reason', 100);
  v_result.bars := agg.read_count(p_stats, 'bars_created');
  v_result.bars_poor := agg.read_count(p_stats, 'bars_quality_poor');
  if not p_success then
    v_result.fail_kind := p_fail_kind;
    v_result.error := coalesce(left(p_error, 2000), 'the worker gave no reason');
  end if;
  perform agg.finish_tasks(array[v_result], p_now);
  -- The claim may have been lost and another's: what was built under it may have missed a change whose note is gone.
  if p_success and p_claimed_at is null and p_new_cursor_utc > v_task.last_agg_bar_ts_utc then
    perform agg.add_corrections(array[(
      p_symbol, p_tf, tstzmultirange(tstzrange(v_decided_to_utc, v_end_utc)), now(), 0
    )::agg.changed_span]);
  end if;
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_tf;
  return jsonb_build_object(
    'success', true,
    'status', v_task.status,
    'last_agg_bar_ts_utc', v_task.last_agg_bar_ts_utc,
    'next_run_at', v_task.next_run_at,
    'hard_fail_streak', v_task.hard_fail_streak
  );
end;
$$;
