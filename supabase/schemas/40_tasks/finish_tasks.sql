comment on function agg.finish_tasks is
'The one rule for what follows work on tasks: cursor, streaks, status, and when each is due again. One result a task.
A task is due again when its next window completes; at once after max_windows; while it waits for data, after an eighth of the time that it has waited (1 to 5 minutes); after a failure, see agg.retry_delay. A wait ends at a whole minute.
Three hard failures in a row disable an optional task. A mandatory one keeps retrying as hard_failed. Warns of both.
Locks: the caller holds the tasks. Counts end at 10^15, so that no value from outside makes a sum overflow.';

create function agg.finish_tasks(p_results agg.build_result[], p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alarms text;
begin
  with finished as (
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = n.cursor_utc,
      built_to_utc = case when s.built_to_utc > n.cursor_utc + c.window_length then s.built_to_utc end,
      status = case
        when not s.enabled or s.status = 'disabled' then 'disabled'
        when n.hard_fail_streak < d.hard_failures then 'idle'
        when s.is_mandatory then 'hard_failed'
        else 'disabled'
      end,
      next_run_at = case
        when r.fail_kind is null and r.stopped_reason = 'max_windows' then p_now
        when r.fail_kind is null and n.due_at > p_now then n.due_at
        else date_trunc('minute', p_now + case
          when r.fail_kind is not null then agg.retry_delay(s.hard_fail_streak, r.fail_kind)
          else least(interval '5 minutes', greatest(interval '1 minute', (p_now - n.due_at) / 8))
        end)
      end,
      running_started_at_utc = null,
      fail_streak = case when r.fail_kind is null then 0 else least(s.fail_streak, 1000000) + 1 end,
      hard_fail_streak = n.hard_fail_streak,
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
    cross join unnest(p_results) as r
    join agg.task as c on c.canonical_symbol = r.canonical_symbol and c.timeframe = r.timeframe
    cross join lateral (
      select
        case
          when r.fail_kind is null and r.decided_to_utc > c.decided_to_utc then r.decided_to_utc - c.window_length
          else c.last_agg_bar_ts_utc
        end as cursor_utc,
        case when r.fail_kind is null then 0 else least(c.hard_fail_streak, 1000000) + (r.fail_kind = 'hard')::integer end as hard_fail_streak
    ) as k
    cross join lateral (
      select k.*, c.due_at + (k.cursor_utc - c.last_agg_bar_ts_utc) as due_at
    ) as n
    where s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
    returning s.canonical_symbol, s.timeframe, s.is_mandatory, s.hard_fail_streak, s.status, s.last_error
  )
  select string_agg(
    format('%s %s (%s, %s in a row): %s', f.canonical_symbol, f.timeframe,
      case when f.is_mandatory then 'mandatory, keeps retrying' else 'optional, now disabled' end, f.hard_fail_streak, f.last_error),
    '; ' order by f.canonical_symbol, f.timeframe
  )
  into v_alarms
  from finished as f
  where f.hard_fail_streak >= (select d.hard_failures from agg.defaults as d);

  if v_alarms is not null then
    raise warning 'hard failures: %', v_alarms using hint = 'select * from agg_health() explains every task.';
  end if;
end;
$$;
