comment on function agg.check_tasks is
  'The checks tasks, mandatory, cursors and streaks of agg_check: a row PASS for each, and a row for each subject that does not pass.';

create function agg.check_tasks(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with wanted as materialized (
    select w.canonical_symbol, w.timeframe, w.duration, w.is_mandatory, s.enabled is true as is_there
    from agg.active_asset as a
    join agg.wanted_task as w on w.canonical_symbol = a.canonical_symbol
    left join public.data_agg_state as s on s.canonical_symbol = w.canonical_symbol and s.timeframe = w.timeframe
    where a.is_test = (select agg.is_test(agg.current_env(null)))
  ),
  task as materialized (
    select t.* from agg.task as t where t.enabled
  ),
  -- Where a market is closed, windows up to its next opening may be decided before they end.
  market as materialized (
    select
      m.session_time_zone, m.session_minutes, m.calendar,
      agg.next_open(m.session_time_zone, m.session_minutes, m.calendar, p_now, p_now + interval '336 hours') as opens_utc
    from (
      select distinct t.session_time_zone, t.session_minutes, t.calendar from task as t where t.decided_to_utc > p_now
    ) as m
  ),
  ahead as (
    select
      t.canonical_symbol, t.timeframe, t.decided_to_utc, t.last_agg_bar_ts_utc,
      case when t.decided_to_utc > u.decided_to_utc then u.timeframe end as source_timeframe
    from task as t
    left join task as u on u.canonical_symbol = t.canonical_symbol and u.timeframe = t.source_timeframe and u.timeframe <> t.timeframe
    left join market as m
      on m.session_time_zone is not distinct from t.session_time_zone
      and m.session_minutes is not distinct from t.session_minutes
      and m.calendar is not distinct from t.calendar
    where (t.decided_to_utc > u.decided_to_utc or t.decided_to_utc > m.opens_utc)
      -- Where nothing is decided, the cursor stands before the start.
      and t.last_agg_bar_ts_utc > agg.bootstrap_cursor(t.agg_start_utc, t.window_length, t.window_time_zone, t.window_origin)
  )
  select
    'tasks', '*', 'PASS', format('%s tasks of %s active assets', count(*), count(distinct w.canonical_symbol)), null
  from wanted as w
  union all
  select
    'tasks', w.canonical_symbol, case when bool_or(w.is_mandatory) then 'FAIL' else 'WARN' end,
    'no task ' || string_agg(w.timeframe, ', ' order by w.duration),
    'select sync_agg_state_from_registry(); its result says under refused which metadata are not understood'
  from wanted as w
  where not w.is_there
  group by w.canonical_symbol
  union all
  select 'mandatory', '*', 'PASS', format('%s mandatory tasks', count(*)), null
  from task as t
  where t.is_mandatory
  union all
  select
    'mandatory', t.canonical_symbol || ' ' || t.timeframe, p.status, p.value, p.hint
  from task as t
  join agg.timeframe as f on f.timeframe = t.timeframe
  cross join (select max(o.last_attempted_at_utc) as at_utc from task as o where not o.is_mandatory) as optional
  cross join lateral (
    select
      case when f.is_mandatory and not t.is_mandatory or t.status = 'disabled' then 'FAIL' else 'WARN' end,
      case
        when f.is_mandatory and not t.is_mandatory then 'not marked mandatory'
        when t.status = 'disabled' then 'disabled'
        else format('due since %s, but an optional task ran at %s', t.next_run_at, optional.at_utc)
      end,
      case
        when f.is_mandatory and not t.is_mandatory then 'select sync_agg_state_from_registry();'
        when t.status = 'disabled'
          then 'update data_agg_state set status = ''idle'', hard_fail_streak = 0, fail_streak = 0 where canonical_symbol = '
            || quote_literal(t.canonical_symbol) || ' and timeframe = ' || quote_literal(t.timeframe)
        else 'select * from agg_health() says what holds it up'
      end
  ) as p (status, value, hint)
  where (f.is_mandatory and not t.is_mandatory)
    or (
      t.is_mandatory and (
        t.status = 'disabled'
        or (
          t.status in ('idle', 'hard_failed') and t.next_run_at < p_now - interval '5 minutes'
          and optional.at_utc > t.next_run_at + interval '5 minutes' and optional.at_utc <= p_now
        )
      )
    )
  union all
  select
    'cursors', '*', 'PASS', format('%s cursors, from %s to %s', count(*), min(t.last_agg_bar_ts_utc), max(t.last_agg_bar_ts_utc)), null
  from task as t
  union all
  select
    'cursors', a.canonical_symbol || ' ' || a.timeframe, 'FAIL',
    format(
      'decided up to %s, ahead of %s', a.decided_to_utc, coalesce('its source task ' || a.source_timeframe, 'the clock')
    ),
    format('select agg_bootstrap_cursor(%L, %L); what comes out the same is not written', a.canonical_symbol, a.timeframe)
  from ahead as a
  union all
  select 'streaks', '*', 'PASS', 'no task fails', null
  union all
  select
    'streaks', t.canonical_symbol || ' ' || t.timeframe,
    case
      when t.is_mandatory and (t.hard_fail_streak >= d.hard_failures or t.failing_since_utc <= p_now - d.overdue_after) then 'FAIL'
      else 'WARN'
    end,
    format('%s failures in a row, %s of them hard: %s', t.fail_streak, t.hard_fail_streak, left(t.last_error, 200)),
    'fix the cause; a success clears the streak' || case
      when t.status = 'disabled' then ', once status is idle and the streaks are 0 again: the task is disabled'
      else ''
    end
  from task as t
  cross join agg.defaults as d
  where t.fail_streak > 0;
$$;
