comment on function public.agg_health is
  'How every task stands at p_now and why: state is current, due, catching_up, waiting_for_data, waiting_for_source, never_ran, overdue, running, failing, hard_failed, disabled or switched_off. lag is how long the next window could have been decided (zero: nothing to do), due_for how long a dispatcher has left it lying.';

create function public.agg_health(p_now timestamptz default now())
returns table (
  canonical_symbol text,
  timeframe text,
  status text,
  cursor_utc timestamptz,
  lag interval,
  due_for interval,
  next_run_at timestamptz,
  state text,
  explanation text
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
as $$
  select
    s.canonical_symbol, s.timeframe, s.status, s.last_agg_bar_ts_utc, k.lag, k.due_for, s.next_run_at, v.state,
    case v.state
      when 'switched_off' then 'the asset is not active in the registry, or metadata.agg does not ask for this timeframe'
      when 'disabled' then format('disabled after %s hard failures in a row: %s', s.hard_fail_streak, s.last_error)
      when 'hard_failed' then format('%s hard failures in a row, next try at %s: %s', s.hard_fail_streak, s.next_run_at, s.last_error)
      when 'failing' then format('%s failures in a row, next try at %s: %s', s.fail_streak, s.next_run_at, s.last_error)
      when 'running' then format('claimed by a worker since %s', s.running_started_at_utc)
      when 'never_ran' then 'no dispatcher has run it yet: is agg_run_due scheduled?'
      when 'overdue' then format('due for %s, but no dispatcher has run it: is agg_run_due scheduled?', k.due_for)
      when 'catching_up' then format('%s windows behind, more at every run', floor(extract(epoch from k.lag) / (s.run_interval_minutes * 60)))
      when 'waiting_for_data' then format('no source bar after %s: waits for data', s.last_agg_bar_ts_utc + k.length)
      when 'due' then 'the next window is complete, the next run takes it'
      when 'waiting_for_source' then format('the %s task has not decided the next window yet', s.source_timeframe)
      else 'every complete window is decided'
    end
  from public.data_agg_state as s
  cross join lateral (
    select
      make_interval(mins => s.run_interval_minutes) as length,
      greatest(
        interval '0',
        p_now - agg.due_at(
          s.last_agg_bar_ts_utc, make_interval(mins => s.run_interval_minutes), s.aggregation_delay_seconds
        )
      ) as lag,
      -- A task switched on just now has been due for no longer than that.
      greatest(interval '0', p_now - greatest(s.next_run_at, s.updated_at)) as due_for
  ) as k
  cross join lateral (
    select case
      when not s.enabled then 'switched_off'
      when s.status in ('disabled', 'hard_failed', 'running') then s.status
      when s.fail_streak > 0 then 'failing'
      when s.last_attempted_at_utc is null then 'never_ran'
      when k.due_for > interval '5 minutes' then 'overdue'
      when k.lag = interval '0' then 'current'
      when s.last_stopped_reason = 'max_windows' then 'catching_up'
      when s.last_stopped_reason = 'no_source_data' then 'waiting_for_data'
      when exists (
        select from public.data_agg_state as up
        where up.canonical_symbol = s.canonical_symbol and up.timeframe = s.source_timeframe and up.timeframe <> s.timeframe
          and up.enabled
          and up.last_agg_bar_ts_utc + make_interval(mins => up.run_interval_minutes) < s.last_agg_bar_ts_utc + 2 * k.length
      ) then 'waiting_for_source'
      else 'due'
    end as state
  ) as v
  order by s.canonical_symbol, s.run_interval_minutes;
$$;
