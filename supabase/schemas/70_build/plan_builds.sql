comment on function agg.plan_builds is
  'What tasks of one timeframe may decide at p_now: one request for all symbols that want the same windows with the same settings. They begin with the window after the cursor (p_cursor_utc, or the stored one), never before agg_start_utc, and end at the nearest of time frontier, source frontier and p_max_windows windows. A synthetic series goes up to the last minute for which all components have bars.
A bar stamped after p_now proves nothing about the windows before it. Null p_derivation_version: that of the registry for a synthetic series, otherwise that of the stored bar, or 1. A symbol without a task is planned with the defaults: 24x7, 300 s, no start. Reads only.';

create function agg.plan_builds(
  p_symbols text[],
  p_timeframe text,
  p_now timestamptz,
  p_max_windows integer,
  p_derivation_version integer,
  p_stop_at_data_frontier boolean default true,
  p_cursor_utc timestamptz default null
)
returns setof agg.build_request
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
begin
  return query
  with task as (
    select
      c.symbol, t.timeframe, t.duration, st.duration as source_duration,
      case when t.source_timeframe is not null then coalesce(s.source_timeframe, t.source_timeframe) end as source_timeframe,
      s.window_time_zone, coalesce(s.window_origin, timestamp '2000-01-03 00:00:00') as origin,
      coalesce(s.good_percent, d.good_percent) as good_percent, coalesce(s.poor_percent, d.poor_percent) as poor_percent,
      s.session_time_zone, s.session_minutes, s.calendar, s.followed_to_utc,
      p_now - make_interval(secs => coalesce(s.aggregation_delay_seconds, d.delay_seconds)) as time_frontier_utc,
      case
        when p_cursor_utc is null and s.last_agg_bar_ts_utc >= s.agg_start_utc then s.decided_to_utc
        else agg.window_end(
          greatest(
            coalesce(p_cursor_utc, s.last_agg_bar_ts_utc),
            agg.bootstrap_cursor(s.agg_start_utc, t.duration, s.window_time_zone, coalesce(s.window_origin, timestamp '2000-01-03 00:00:00'))
          ),
          t.duration, s.window_time_zone, coalesce(s.window_origin, timestamp '2000-01-03 00:00:00')
        )
      end as from_utc
    from unnest(p_symbols) as c (symbol)
    cross join agg.defaults as d
    join agg.timeframe as t on t.timeframe = p_timeframe
    left join agg.task as s on s.canonical_symbol = c.symbol and s.timeframe = p_timeframe
    left join agg.timeframe as st on st.timeframe = case when t.source_timeframe is not null then coalesce(s.source_timeframe, t.source_timeframe) end
  ),
  bounded as (
    select
      t.*,
      case
        when t.window_time_zone is null then date_bin(t.duration, e.end_utc, t.origin at time zone 'UTC')
        else agg.window_start(e.end_utc, t.duration, t.window_time_zone, t.origin)
      end as frontier_utc,
      b.derivation_version, b.data_end_utc
    from task as t
    left join agg.task as u on u.canonical_symbol = t.symbol and u.timeframe = t.source_timeframe and u.enabled
    cross join lateral (select least(t.time_frontier_utc, u.decided_to_utc)) as e (end_utc)
    left join lateral (
      select
        max(k.derivation_version) as derivation_version,
        case when count(*) = count(l.ts_utc) then min(l.ts_utc) + t.duration else t.from_utc end as data_end_utc
      from agg.synthetic_component as k
      left join lateral (
        select b.ts_utc
        from public.data_bars as b
        where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc < p_now
        order by b.ts_utc desc
        limit 1
      ) as l on true
      where k.canonical_symbol = t.symbol
    ) as b on p_timeframe = '1m'
  ),
  ended as (
    select
      b.*,
      least(b.frontier_utc, case when p_stop_at_data_frontier then coalesce(b.data_end_utc, case when p_timeframe = '1m' then b.from_utc end) end) as last_utc,
      case
        when p_max_windows is null then timestamptz 'infinity'
        when b.window_time_zone is null then b.from_utc + b.duration * p_max_windows::double precision
        else greatest(
          agg.window_end(b.from_utc, b.duration, b.window_time_zone, b.origin),
          agg.window_start(b.from_utc + b.duration * p_max_windows::double precision, b.duration, b.window_time_zone, b.origin)
        )
      end as limit_utc
    from bounded as b
  )
  select
    array_agg(e.symbol), e.timeframe, e.source_timeframe, e.duration, e.window_time_zone, e.origin, e.source_duration,
    e.from_utc, greatest(e.from_utc, least(e.last_utc, e.limit_utc)), e.frontier_utc,
    case when p_stop_at_data_frontier then p_now end,
    e.limit_utc < e.last_utc, coalesce(p_derivation_version, e.derivation_version), e.good_percent, e.poor_percent,
    e.session_time_zone, e.session_minutes, e.calendar,
    coalesce(e.from_utc < e.followed_to_utc, false)
  from ended as e
  group by
    e.timeframe, e.source_timeframe, e.duration, e.window_time_zone, e.origin, e.source_duration, e.from_utc, e.last_utc, e.limit_utc,
    e.frontier_utc, e.derivation_version, e.good_percent, e.poor_percent,
    e.session_time_zone, e.session_minutes, e.calendar, coalesce(e.from_utc < e.followed_to_utc, false);
end;
$$;
