comment on function agg.task_changes is
  'How the tasks of p_symbols (null: of all assets) differ from agg.wanted_task in p_env; no row where they do not. p_problems are what agg.asset_problems says of the active ones: tasks that they leave out do not differ. Reads only.';

create function agg.task_changes(
  p_env text, p_symbols text[], p_problems agg.asset_problem[], p_default_start_utc timestamptz
)
returns setof agg.task_change
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
-- A plan for some symbols and one for all have little in common.
set plan_cache_mode = force_custom_plan
as $$
begin
  return query
  with left_out as materialized (
    select distinct p.canonical_symbol, p.leaves_out from unnest(p_problems) as p where p.leaves_out <> 'key'
  ),
  asked as materialized (
    select t.*, t.duration > interval '1 hour' as is_local
    from agg.active_asset as a
    join agg.wanted_task as t on t.canonical_symbol = a.canonical_symbol
    where a.is_test = (select agg.is_test(p_env))
      and (p_symbols is null or a.canonical_symbol = any (p_symbols))
      and not exists (
        select from left_out as o
        where o.canonical_symbol = t.canonical_symbol and (o.leaves_out = 'asset' or t.basket is not null)
      )
  ),
  -- Many assets share a session and a day, and reading one costs more than all else here.
  session as materialized (
    select d.session, agg.session_minutes(d.session) as minutes, agg.weekly_session(d.session) ->> 'time_zone' as time_zone
    from (select distinct k.session from asked as k where k.session is not null) as d
  ),
  day as materialized (
    select d.day_close, nullif(d.day_close ->> 'time_zone', 'UTC') as time_zone, agg.begins_on_hours(d.day_close) as begins_on_hours
    from (select distinct k.day_close from asked as k where k.is_local and k.day_close is not null) as d
  ),
  origin as materialized (
    select d.duration, d.day_close, d.session, agg.window_origin(d.duration, d.day_close, d.session) as window_origin
    from (select distinct k.duration, k.day_close, k.session from asked as k where k.is_local) as d
  ),
  wanted as materialized (
    select
      k.canonical_symbol, k.timeframe, k.run_interval_minutes, k.aggregation_delay_seconds, k.is_mandatory, k.agg_start_utc,
      k.good_percent, k.poor_percent::smallint as poor_percent, n.time_zone as session_time_zone, n.minutes as session_minutes,
      k.basket, k.calendar,
      case when d.begins_on_hours is false then k.fallback_source_timeframe else k.source_timeframe end as source_timeframe,
      d.time_zone as window_time_zone,
      coalesce(o.window_origin, timestamp '2000-01-03 00:00:00') as window_origin,
      greatest(m.floor_utc, u.floor_utc, c.floor_utc) as floor_utc
    from asked as k
    left join session as n on n.session = k.session
    left join day as d on k.is_local and d.day_close = k.day_close
    left join origin as o
      on k.is_local and o.duration = k.duration
      and coalesce(o.day_close, 'null') = coalesce(k.day_close, 'null') and coalesce(o.session, 'null') = coalesce(k.session, 'null')
    -- Of the bars that it makes, and of those that it reads.
    left join agg.floor as m on m.canonical_symbol = k.canonical_symbol and m.timeframe = k.timeframe
    left join agg.floor as u
      on u.canonical_symbol = k.canonical_symbol
      and u.timeframe = case when d.begins_on_hours is false then k.fallback_source_timeframe else k.source_timeframe end
    left join lateral (
      select max(f.floor_utc) as floor_utc
      from jsonb_array_elements_text(k.basket -> 'components') as e (component)
      join agg.floor as f on f.canonical_symbol = e.component and f.timeframe = '1m'
    ) as c on k.basket is not null
  ),
  present as materialized (
    select s.*
    from public.data_agg_state as s
    where (p_symbols is null or s.canonical_symbol = any (p_symbols))
      and not exists (
        select from left_out as o
        where o.canonical_symbol = s.canonical_symbol and (o.leaves_out = 'asset' or s.basket is not null)
      )
  ),
  difference as materialized (
    select
      c.action,
      coalesce(w.canonical_symbol, s.canonical_symbol) as canonical_symbol, coalesce(w.timeframe, s.timeframe) as timeframe,
      w.source_timeframe, w.run_interval_minutes, w.aggregation_delay_seconds, w.is_mandatory, b.agg_start_utc,
      w.good_percent, w.poor_percent, w.session_time_zone, w.session_minutes, w.basket, w.calendar,
      w.window_time_zone, w.window_origin,
      r.is_kept and r.has_new_windows as has_new_windows,
      r.is_kept and not r.has_new_windows and r.has_new_rules as has_new_rules,
      r.is_kept and not r.has_new_windows and not r.has_new_rules and r.has_new_hours as has_new_hours,
      r.is_kept and not r.has_new_windows and b.agg_start_utc < s.agg_start_utc as has_earlier_start,
      s.session_time_zone as former_time_zone, s.session_minutes as former_minutes, s.calendar as former_calendar,
      s.agg_start_utc as decided_from_utc,
      greatest(s.last_agg_bar_ts_utc + make_interval(mins => 2 * s.run_interval_minutes), s.built_to_utc) as decided_to_utc
    from wanted as w
    full join present as s on s.canonical_symbol = w.canonical_symbol and s.timeframe = w.timeframe
    cross join lateral (
      select case
        when w.canonical_symbol is not null then greatest(coalesce(w.agg_start_utc, s.agg_start_utc, p_default_start_utc), w.floor_utc)
      end
    ) as b (agg_start_utc)
    cross join lateral (
      select
        w.canonical_symbol is not null and s.canonical_symbol is not null as is_kept,
        (s.window_time_zone, s.window_origin) is distinct from (w.window_time_zone, w.window_origin) as has_new_windows,
        (s.good_percent, s.poor_percent, s.basket) is distinct from (w.good_percent, w.poor_percent, w.basket) as has_new_rules,
        (s.session_time_zone, s.session_minutes, s.calendar)
          is distinct from (w.session_time_zone, w.session_minutes, w.calendar) as has_new_hours
    ) as r
    cross join lateral (
      select case
        when s.canonical_symbol is null then 'insert'
        when w.canonical_symbol is null then case when s.enabled then 'disable' end
        when not s.enabled or (s.status = 'disabled' and s.hard_fail_streak < (select f.hard_failures from agg.defaults as f))
          then 'reenable'
        when r.has_new_windows or r.has_new_rules or r.has_new_hours
          or (s.source_timeframe, s.run_interval_minutes, s.is_mandatory, s.agg_start_utc)
            is distinct from (w.source_timeframe, w.run_interval_minutes, w.is_mandatory, b.agg_start_utc)
          then 'update'
      end
    ) as c (action)
    where c.action is not null
  ),
  -- Once for all tasks that change from one session or calendar to another.
  hours as materialized (
    select
      g.former_time_zone, g.former_minutes, g.former_calendar, g.session_time_zone, g.session_minutes, g.calendar,
      -- What is built meanwhile may be built by the former hours.
      agg.changed_hours(f.spans, n.spans) + tstzmultirange(tstzrange(g.to_utc, null)) as changed_spans
    from (
      select
        d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar,
        min(d.decided_from_utc) as from_utc, max(d.decided_to_utc) as to_utc
      from difference as d
      where d.has_new_hours
      group by d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar
    ) as g
    cross join lateral (
      select agg.open_spans(g.former_time_zone, g.former_minutes, g.former_calendar, g.from_utc, g.to_utc)
    ) as f (spans)
    cross join lateral (select agg.open_spans(g.session_time_zone, g.session_minutes, g.calendar, g.from_utc, g.to_utc)) as n (spans)
  )
  select
    d.action, d.canonical_symbol, d.timeframe, d.source_timeframe, d.run_interval_minutes, d.aggregation_delay_seconds, d.is_mandatory,
    d.agg_start_utc, d.good_percent, d.poor_percent, d.session_time_zone, d.session_minutes, d.basket,
    d.calendar, d.window_time_zone, d.window_origin, d.has_new_windows,
    case
      when d.has_new_rules then '{(,)}'
      else nullif(
        coalesce((
          select h.changed_spans
          from hours as h
          where d.has_new_hours
            and (h.former_time_zone, h.former_minutes, h.former_calendar, h.session_time_zone, h.session_minutes, h.calendar)
              is not distinct from
              (d.former_time_zone, d.former_minutes, d.former_calendar, d.session_time_zone, d.session_minutes, d.calendar)
        ), '{}')
          -- Up to the window in which the former start lies.
          + case when d.has_earlier_start then tstzmultirange(tstzrange(null, d.decided_from_utc)) else '{}' end,
        '{}'
      )
    end::tstzmultirange
  from difference as d;
end;
$$;
