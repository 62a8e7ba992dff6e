comment on function agg.plan_builds is
  'What tasks of one timeframe may decide at p_now, a request a symbol: from the window after the cursor (p_cursor_utc, or the stored one), never before agg_start_utc, up to the nearer of time frontier and source frontier. A synthetic series goes up to the last minute for which all components have bars.
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
as $$
begin
  return query
  select
    c.symbol, t.timeframe, t.source_timeframe, t.duration, st.duration,
    r.from_utc,
    greatest(
      r.from_utc,
      case
        when t.source_timeframe is null and p_stop_at_data_frontier
          then least(r.frontier_utc, coalesce(synthetic.data_end_utc, r.from_utc))
        else r.frontier_utc
      end
    ),
    r.frontier_utc,
    case when p_stop_at_data_frontier then p_now end,
    p_max_windows,
    coalesce(p_derivation_version, synthetic.derivation_version),
    coalesce(s.good_percent, d.good_percent), coalesce(s.poor_percent, d.poor_percent),
    s.session_time_zone, s.session_minutes,
    coalesce(r.from_utc < s.followed_to_utc, false)
  from unnest(p_symbols) as c (symbol)
  cross join agg.defaults as d
  join agg.timeframe as t on t.timeframe = p_timeframe
  left join agg.timeframe as st on st.timeframe = t.source_timeframe
  left join agg.task as s on s.canonical_symbol = c.symbol and s.timeframe = p_timeframe
  left join lateral (
    select u.decided_to_utc
    from agg.task as u
    where u.canonical_symbol = c.symbol and u.timeframe = t.source_timeframe and u.enabled
    offset 0
  ) as up on true
  cross join lateral (
    select
      greatest(coalesce(p_cursor_utc, s.last_agg_bar_ts_utc), agg.bootstrap_cursor(s.agg_start_utc, t.duration)) + t.duration as from_utc,
      date_bin(
        t.duration,
        least(
          p_now - make_interval(secs => coalesce(s.aggregation_delay_seconds, d.delay_seconds)),
          up.decided_to_utc
        ),
        timestamptz '2000-01-01 00:00:00+00'
      ) as frontier_utc
  ) as r
  left join lateral (
    select case when count(*) = count(l.ts_utc) then min(l.ts_utc) + t.duration end as data_end_utc,
      max(k.derivation_version) as derivation_version
    from agg.synthetic_component as k
    left join lateral (
      select b.ts_utc
      from public.data_bars as b
      where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc < p_now
      order by b.ts_utc desc
      limit 1
    ) as l on true
    where k.canonical_symbol = c.symbol and t.source_timeframe is null
  ) as synthetic on true;
end;
$$;
