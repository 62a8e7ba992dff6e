comment on function agg.finish_tasks is
  'The one rule for what follows work on tasks: cursor, streaks, status, and when each is due again. The caller holds the tasks. Three hard failures disable an optional task; a mandatory one keeps retrying with backoff as hard_failed. Warns of both.';

create function agg.finish_tasks(p_outcomes agg.task_outcome[], p_now timestamptz)
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
      built_to_utc = case when s.built_to_utc > n.cursor_utc + l.length then s.built_to_utc end,
      status = case
        when not s.enabled or s.status = 'disabled' then 'disabled'
        when n.hard_fail_streak < 3 then 'idle'
        when s.is_mandatory then 'hard_failed'
        else 'disabled'
      end,
      next_run_at = case
        when not o.succeeded then p_now + agg.retry_delay(s.fail_streak)
        when o.stopped_reason = 'max_windows' then p_now
        when n.due_at > p_now then n.due_at
        -- Waits for data: ask again after an eighth of the time it has waited.
        else p_now + least(interval '5 minutes', greatest(interval '1 minute', (p_now - n.due_at) / 8))
      end,
      running_started_at_utc = null,
      fail_streak = case when o.succeeded then 0 else s.fail_streak + 1 end,
      hard_fail_streak = n.hard_fail_streak,
      total_runs = s.total_runs + 1,
      total_bars_created = s.total_bars_created + coalesce(o.bars_created, 0),
      total_bars_quality_poor = s.total_bars_quality_poor + coalesce(o.bars_quality_poor, 0),
      last_attempted_at_utc = p_now,
      last_successful_at_utc = case when o.succeeded then p_now else s.last_successful_at_utc end,
      last_stopped_reason = case when o.succeeded then o.stopped_reason else s.last_stopped_reason end,
      last_error = case when o.succeeded then null else o.error end,
      updated_at = now()
    from unnest(p_outcomes) as o
    join public.data_agg_state as c on c.canonical_symbol = o.canonical_symbol and c.timeframe = o.timeframe
    cross join lateral (select make_interval(mins => c.run_interval_minutes)) as l (length)
    cross join lateral (
      select
        case when o.succeeded then greatest(c.last_agg_bar_ts_utc, o.new_cursor_utc) else c.last_agg_bar_ts_utc end as cursor_utc,
        case when o.succeeded then 0 else c.hard_fail_streak + (o.fail_kind = 'hard')::integer end as hard_fail_streak
    ) as k
    cross join lateral (
      select k.*, agg.due_at(k.cursor_utc, l.length, c.aggregation_delay_seconds) as due_at
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
  where f.hard_fail_streak >= 3;

  if v_alarms is not null then
    raise warning 'hard failures: %', v_alarms using hint = 'select * from agg_health() explains every task.';
  end if;
end;
$$;
