comment on function public.agg_finish is
  'Releases a claim. On success stores p_new_cursor_utc (null: unchanged), which must be aligned, not behind the cursor and not beyond a frontier, and the counts of p_stats (the result of catchup_aggregation_range); on failure counts it (p_fail_kind transient or hard) and backs off. Call it in the transaction that built the bars. p_claimed_at is claimed_at of agg_start: with it a worker whose claim was taken back cannot release that of another; without it the windows that the cursor passes are built once more, by the dispatcher. Raises object_not_in_prerequisite_state without the claim.';

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
  v_frontier_utc timestamptz;
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

  if p_success and p_new_cursor_utc is not null then
    v_length := make_interval(mins => v_task.run_interval_minutes);
    if date_bin(v_length, p_new_cursor_utc, timestamptz '2000-01-01 00:00:00+00') <> p_new_cursor_utc
      or p_new_cursor_utc < v_task.last_agg_bar_ts_utc
    then
      raise exception 'cursor % of % % is not the start of a window at or after the cursor %',
        p_new_cursor_utc, p_symbol, p_tf, v_task.last_agg_bar_ts_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
    select o.frontier_utc into v_frontier_utc
    from agg.plan_builds(array[row(p_symbol, p_tf, v_task.last_agg_bar_ts_utc)::agg.claim], p_now, null, 1) as o;
    if p_new_cursor_utc > v_task.last_agg_bar_ts_utc and p_new_cursor_utc + v_length > v_frontier_utc then
      raise exception 'cursor % of % % is beyond the frontier %', p_new_cursor_utc, p_symbol, p_tf, v_frontier_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
  end if;

  perform agg.finish_tasks(
    array[row(
      p_symbol, p_tf, p_success, p_new_cursor_utc, p_stats ->> 'stopped_reason',
      (p_stats ->> 'bars_created')::bigint, (p_stats ->> 'bars_quality_poor')::bigint, p_fail_kind, p_error
    )::agg.task_outcome],
    p_now
  );
  -- The claim may have been lost and another's: what was built under it may have missed a change whose note is gone.
  if p_success and p_claimed_at is null and p_new_cursor_utc > v_task.last_agg_bar_ts_utc then
    perform agg.add_corrections(array[row(
      p_symbol, p_tf,
      tstzmultirange(tstzrange(v_task.last_agg_bar_ts_utc + v_length, p_new_cursor_utc + v_length)), now(), 0
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
