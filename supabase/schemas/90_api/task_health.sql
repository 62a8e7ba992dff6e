comment on function agg.task_health is
  'How the tasks of p_symbols (null: all) stand at p_now, as agg_health says it, in no order.';

create function agg.task_health(p_now timestamptz, p_symbols text[] default null)
returns table (
  canonical_symbol text,
  timeframe text,
  run_interval_minutes integer,
  is_mandatory boolean,
  status text,
  cursor_utc timestamptz,
  decided_to_utc timestamptz,
  lag interval,
  due_for interval,
  next_run_at timestamptz,
  state text,
  explanation text
)
language sql
stable
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
as $$
  -- What was open of late, and when it opens next: once for all tasks that share a session and a calendar. No market is closed
  -- for five weeks; of a task that is further behind, every minute counts as open.
  with market as materialized (
    select
      m.*, b.since_utc,
      agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, b.since_utc, p_now + interval '1 microsecond') as open,
      lower(agg.open_spans(m.session_time_zone, m.session_minutes, m.calendar, p_now, p_now + interval '240 hours')) as opens_utc
    from (
      select distinct s.session_time_zone, s.session_minutes, s.calendar
      from public.data_agg_state as s
      where s.session_minutes is not null or s.calendar is not null
    ) as m
    cross join (select p_now - interval '840 hours') as b (since_utc)
  ),
  task as (
    select
      t.*, o.is_closed, o.opens_utc, p.paused_until, p.paused_by, p.paused_reason,
      greatest(interval '0', p_now - d.next_due_at) as lag,
      case
        -- A task that sleeps waits for what wakes it, not for a dispatcher.
        when o.is_closed or t.next_run_at = 'infinity' or p.paused_until > p_now then interval '0'
        else greatest(interval '0', p_now - greatest(
          -- A clock that was ahead may have put a task off for longer than any task waits.
          case when t.next_run_at > greatest(d.next_due_at, p_now + t.window_length + interval '1 hour') then d.next_due_at else t.next_run_at end,
          d.next_due_at,
          -- A task switched on just now has been due for no longer than that.
          t.updated_at,
          case when p.paused_until <= p_now then p.paused_until end
        ))
      end as due_for
    from agg.task as t
    left join agg.environment as p on true
    -- Equal keys where both are null, which a hash can look up.
    left join market as m
      on coalesce(m.session_time_zone, '') = coalesce(t.session_time_zone, '')
      and coalesce(m.session_minutes, '{(,)}') = coalesce(t.session_minutes, '{(,)}')
      and coalesce(m.calendar, '') = coalesce(t.calendar, '')
    cross join lateral (
      select
        f.first_utc,
        -- What is decided may reach up to the next opening.
        coalesce(
          case
            when t.decided_to_utc > p_now then not m.open @> p_now
            when t.decided_to_utc >= m.since_utc then f.first_utc is null
          end, false
        ) as is_closed,
        m.opens_utc
      from (
        select case
          when t.decided_to_utc between m.since_utc and p_now
            then lower(m.open * tstzmultirange(tstzrange(t.decided_to_utc, null)))
        end as first_utc
        -- Once a task.
        offset 0
      ) as f
    ) as o
    cross join lateral (
      select case
        when o.is_closed then p_now
        when o.first_utc is null or o.first_utc = t.decided_to_utc then t.due_at
        else agg.window_end(o.first_utc, t.window_length, t.window_time_zone, t.window_origin)
          + make_interval(secs => t.aggregation_delay_seconds)
      end as next_due_at
      offset 0
    ) as d
    where p_symbols is null or t.canonical_symbol = any (p_symbols)
  ),
  judged as (
    select
      t.*,
      case
        when not t.enabled then 'switched_off'
        when t.status in ('disabled', 'hard_failed', 'running') then t.status
        when t.fail_streak > 0 then 'failing'
        when t.is_closed then 'market_closed'
        when t.paused_until > p_now and t.lag > interval '0' then 'paused'
        when t.due_for > interval '5 minutes' then case when t.last_attempted_at_utc is null then 'never_ran' else 'overdue' end
        when t.lag = interval '0' then 'current'
        when t.last_attempted_at_utc is null then 'due'
        when t.next_run_at = 'infinity' then case t.last_stopped_reason when 'no_source_data' then 'waiting_for_data' else 'waiting_for_source' end
        when t.last_stopped_reason = 'max_windows' then 'catching_up'
        when t.last_stopped_reason = 'no_source_data' and not agg.has_source_bar(t.canonical_symbol, t.timeframe, t.decided_to_utc, p_now)
          then 'waiting_for_data'
        when exists (
          select from agg.task as u
          where u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
            and u.enabled and u.decided_to_utc < t.decided_to_utc + t.window_length
        ) then 'waiting_for_source'
        else 'due'
      end as state
    from task as t
  )
  select
    j.canonical_symbol, j.timeframe, j.run_interval_minutes, j.is_mandatory, j.status, j.last_agg_bar_ts_utc, j.decided_to_utc, j.lag,
    j.due_for, j.next_run_at, j.state,
    case j.state
      when 'paused' then format('paused until %s by %s: %s', j.paused_until, j.paused_by, j.paused_reason)
      when 'switched_off' then 'the asset is not active in the registry, or metadata.agg does not ask for this timeframe'
      when 'disabled' then format('disabled after %s hard failures in a row: %s', j.hard_fail_streak, j.last_error)
      when 'hard_failed' then format('%s hard failures in a row, next try at %s: %s', j.hard_fail_streak, j.next_run_at, j.last_error)
      when 'failing' then format('%s failures in a row, next try at %s: %s', j.fail_streak, j.next_run_at, j.last_error)
      when 'running' then format('claimed by a worker since %s', j.running_started_at_utc)
      when 'market_closed' then 'session and calendar are closed ' || coalesce('until ' || j.opens_utc, 'for the next ten days')
      when 'never_ran' then 'no dispatcher has run it yet: is agg_run_due scheduled?'
      when 'overdue' then format('due for %s, but no dispatcher has run it: is agg_run_due scheduled?', j.due_for)
      when 'catching_up' then format('%s windows behind, more at every run', floor(extract(epoch from j.lag) / extract(epoch from j.window_length)))
      when 'waiting_for_data' then case
        when j.next_run_at = 'infinity' then format('no source bar after %s when it last ran, at %s: sleeps until one arrives', j.decided_to_utc, j.last_attempted_at_utc)
        else format('no source bar after %s: waits for data', j.decided_to_utc)
      end
      when 'due' then 'the next window is complete, the next run takes it'
      when 'waiting_for_source' then format('the %s task %s', j.source_timeframe, case
        when j.next_run_at = 'infinity' then format('had not decided the next window when this one last ran, at %s, and wakes it', j.last_attempted_at_utc)
        else 'has not decided the next window yet'
      end)
      else 'every complete window is decided'
    end || case
      when j.state in ('waiting_for_data', 'waiting_for_source') and exists (
        select from public.data_agg_state as u where u.canonical_symbol = j.canonical_symbol and u.basket is not null
      ) then coalesce((
        select format('; %s holds the basket back: %s', k.component, coalesce('its last bar is at ' || k.last_utc, 'it has no bar'))
        from agg.slowest_component(j.canonical_symbol, p_now) as k
        where coalesce(k.last_utc + interval '1 minute' < j.decided_to_utc + j.window_length, true)
      ), '')
      else ''
    end
  from judged as j
  union all
  select
    s.name, '1m', 1, false, null, null, null, null, null, null, 'unregistered',
    'bars arrive, but core_asset_registry_all does not have the symbol: nothing is built of them'
  from (
    select y.canonical_symbol as name from agg.bar_symbol as y where p_symbols is null
    union all
    select u.symbol from unnest(p_symbols) as u (symbol) where exists (select from public.data_bars as b where b.canonical_symbol = u.symbol)
  ) as s
  where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.name);
$$;
