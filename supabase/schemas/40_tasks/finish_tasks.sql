comment on function agg.finish_tasks is
'The one rule for what follows work on tasks: cursor, streaks, status, and when each is due again.
A task is due again when its next window completes; at once after max_windows; after a failure, see agg.retry_delay. A task that waits for data or for its source task sleeps until these come (agg.sleep_tasks); where it cannot, it is due after an eighth of the time that it has waited (1 to 5 minutes). A wait ends at a whole minute. What advances wakes the tasks that build from it. A task that is up to date is due together with the others of its queue (agg.queue), any other alone.
Three hard failures in a row disable an optional task. A mandatory one keeps retrying as hard_failed. Warns of both.
The decided_to_utc of a result is not behind what its tasks have decided.
Locks: the caller holds the tasks. Shares the rows of agg.queue to the end of the transaction, without waiting. Counts end at 10^15, so that no value from outside makes a sum overflow.';

create function agg.finish_tasks(p_results agg.build_result[], p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by the key of a task, whatever the planner assumes about the size of the tables; but see below.
set enable_seqscan = off
set enable_nestloop = on
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  -- The results are of one timeframe.
  v_minutes constant integer := extract(epoch from p_results[1].window_length) / 60;
  v_finished record;
  v_together_from timestamptz;
begin
  -- Planning costs a millisecond, and reading a page about as much as a probe: for a task a page the table is read at once.
  if (select sum(cardinality(r.symbols)) from unnest(p_results) as r)
    > greatest(500, pg_relation_size('public.data_agg_state') / current_setting('block_size')::bigint)
  then
    perform
      set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'on', true),
      set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'on', true);
  end if;
  -- So that no due_at is raised past a task that joins. Null, and no task joins, where another session holds one of the rows.
  select case when count(*) = (select count(*) from agg.queue as q where q.run_interval_minutes = v_minutes) then max(h.due_at) end
  into v_together_from
  from (
    select q.due_at from agg.queue as q where q.run_interval_minutes = v_minutes for share skip locked
  ) as h;
  with result as materialized (
    -- Once a result, however many symbols it has. Windows in UTC need no call.
    select
      r.symbols, r.timeframe, r.from_utc, r.decided_to_utc, r.bars, r.bars_poor, r.stopped_reason, r.fail_kind, r.error,
      case
        when r.window_time_zone is null then r.decided_to_utc - r.window_length
        else agg.window_start(r.decided_to_utc - interval '1 microsecond', r.window_length, r.window_time_zone, r.window_origin)
      end as cursor_utc,
      case
        when r.window_time_zone is null then r.decided_to_utc + r.window_length
        else agg.window_end(r.decided_to_utc, r.window_length, r.window_time_zone, r.window_origin)
      end as next_end_utc
    from unnest(p_results) as r
  ),
  finished as (
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = case when r.fail_kind is null then greatest(s.last_agg_bar_ts_utc, r.cursor_utc) else s.last_agg_bar_ts_utc end,
      built_to_utc = case when r.fail_kind is not null or s.built_to_utc > r.decided_to_utc then s.built_to_utc end,
      next_run_at = case
        when r.fail_kind is not null then date_trunc('minute', p_now + agg.retry_delay(s.hard_fail_streak, r.fail_kind))
        when r.stopped_reason = 'max_windows' then p_now
        when r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) > p_now
          then r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds)
        else date_trunc('minute', p_now + least(interval '5 minutes', greatest(
          interval '1 minute', (p_now - r.next_end_utc - make_interval(secs => s.aggregation_delay_seconds)) / 8
        )))
      end,
      due_together_at = case
        when r.fail_kind is null and r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) > p_now
          and r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) >= v_together_from
          then r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds)
      end,
      status = case
        when not s.enabled or s.status = 'disabled' then 'disabled'
        when r.fail_kind is null or s.hard_fail_streak + (r.fail_kind = 'hard')::integer < d.hard_failures then 'idle'
        when s.is_mandatory then 'hard_failed'
        else 'disabled'
      end,
      running_started_at_utc = null,
      fail_streak = case when r.fail_kind is null then 0 else least(s.fail_streak, 1000000) + 1 end,
      hard_fail_streak = case when r.fail_kind is null then 0 else least(s.hard_fail_streak, 1000000) + (r.fail_kind = 'hard')::integer end,
      failing_since_utc = case when r.fail_kind is not null then coalesce(least(s.failing_since_utc, p_now), p_now) end,
      total_runs = least(s.total_runs, 999999999999999) + 1,
      total_bars_created = least(s.total_bars_created + coalesce(r.bars, 0), 1000000000000000),
      total_bars_quality_poor = least(s.total_bars_quality_poor + coalesce(r.bars_poor, 0), 1000000000000000),
      last_attempted_at_utc = p_now,
      last_successful_at_utc = case when r.fail_kind is null then p_now else s.last_successful_at_utc end,
      last_stopped_reason = case when r.fail_kind is null then r.stopped_reason else s.last_stopped_reason end,
      last_error = r.error,
      updated_at = now()
    from agg.defaults as d
    cross join result as r
    cross join lateral unnest(r.symbols) as y (symbol)
    where s.canonical_symbol = y.symbol and s.timeframe = r.timeframe
    returning
      s.canonical_symbol, s.timeframe, s.is_mandatory, s.hard_fail_streak, s.last_error,
      -- A gap that is stepped over lies before from_utc.
      r.fail_kind is null and (r.stopped_reason = 'frontier' or r.decided_to_utc is distinct from r.from_utc) as has_advanced,
      r.fail_kind is null and r.stopped_reason is distinct from 'max_windows'
        and p_now >= r.next_end_utc + make_interval(secs => s.aggregation_delay_seconds) as is_waiting
  )
  select
    min(f.timeframe) as timeframe,
    array_agg(f.canonical_symbol) filter (where f.has_advanced) as advanced,
    array_agg(f.canonical_symbol) filter (where f.is_waiting) as waiting,
    string_agg(
      format('%s %s (%s, %s in a row): %s', f.canonical_symbol, f.timeframe,
        case when f.is_mandatory then 'mandatory, keeps retrying' else 'optional, now disabled' end, f.hard_fail_streak, f.last_error),
      '; ' order by f.canonical_symbol, f.timeframe
    ) filter (where f.hard_fail_streak >= (select d.hard_failures from agg.defaults as d)) as alarms
  into v_finished
  from finished as f;

  if v_finished.waiting is not null then
    perform agg.sleep_tasks(v_finished.waiting, v_finished.timeframe);
  end if;
  if v_finished.advanced is not null then
    perform agg.wake_dependents(v_finished.advanced, v_finished.timeframe);
  end if;
  if v_finished.alarms is not null then
    raise warning 'hard failures: %', v_finished.alarms using hint = 'select * from agg_health() explains every task.';
  end if;
end;
$$;
