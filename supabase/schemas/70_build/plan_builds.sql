comment on function agg.plan_builds is
  'What tasks of one timeframe may decide at p_now: one request for all symbols that want the same windows with the same settings. They begin at the first window at or after the cursor (p_cursor_utc, or the stored one), never before agg_start_utc, that has a source bar or a stored one, and end at the nearest of time frontier, source frontier and p_max_windows windows. A synthetic series goes up to the last minute for which all components have bars.
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
  with task as (
    select
      c.symbol, t.timeframe, t.duration, t.source_timeframe is null as is_synthetic,
      case when t.source_timeframe is not null then coalesce(s.source_timeframe, t.source_timeframe) end as source_timeframe,
      s.window_time_zone, o.origin, o.origin at time zone 'UTC' as origin_utc,
      coalesce(s.good_percent, d.good_percent) as good_percent, coalesce(s.poor_percent, d.poor_percent) as poor_percent,
      s.session_time_zone, s.session_minutes, s.calendar, s.followed_to_utc,
      case
        when p_cursor_utc is null and s.last_agg_bar_ts_utc >= s.agg_start_utc then s.decided_to_utc
        else agg.window_end(
          greatest(
            coalesce(p_cursor_utc, s.last_agg_bar_ts_utc),
            agg.bootstrap_cursor(s.agg_start_utc, t.duration, s.window_time_zone, o.origin)
          ),
          t.duration, s.window_time_zone, o.origin
        )
      end as decided_to_utc,
      p_now - make_interval(secs => coalesce(s.aggregation_delay_seconds, d.delay_seconds)) as time_frontier_utc
    from unnest(p_symbols) as c (symbol)
    cross join agg.defaults as d
    join agg.timeframe as t on t.timeframe = p_timeframe
    left join agg.task as s on s.canonical_symbol = c.symbol and s.timeframe = p_timeframe
    cross join lateral (select coalesce(s.window_origin, timestamp '2000-01-03 00:00:00')) as o (origin)
  ),
  known as (
    select
      t.*,
      case
        when t.window_time_zone is null then date_bin(t.duration, e.end_utc, t.origin_utc)
        else agg.window_start(e.end_utc, t.duration, t.window_time_zone, t.origin)
      end as frontier_utc,
      k.first_utc, k.end_utc, k.derivation_version,
      case
        when t.is_synthetic then (
          select l.ts_utc
          from public.data_bars as l
          where l.canonical_symbol = t.symbol and l.timeframe = t.timeframe and l.ts_utc >= t.decided_to_utc
          order by l.ts_utc
          limit 1
        )
        else (
          select l.ts_utc
          from public.derived_data_bars as l
          where l.canonical_symbol = t.symbol and l.timeframe = t.timeframe and l.ts_utc >= t.decided_to_utc
          order by l.ts_utc
          limit 1
        )
      end as stored_utc
    from task as t
    cross join lateral (
      select least(t.time_frontier_utc, (
        select u.decided_to_utc
        from agg.task as u
        where u.canonical_symbol = t.symbol and u.timeframe = t.source_timeframe and u.enabled
      ))
    ) as e (end_utc)
    -- The first source bar that is not decided, and where the sources end.
    cross join lateral (
      select
        (
          select b.ts_utc
          from agg.source_bar as b
          where b.canonical_symbol = t.symbol and b.timeframe = t.source_timeframe
            and b.ts_utc >= t.decided_to_utc and b.ts_utc < p_now and b.covered_minutes > 0
          order by b.ts_utc
          limit 1
        ) as first_utc,
        timestamptz 'infinity' as end_utc,
        null::integer as derivation_version
      where not t.is_synthetic
      union all
      -- All components have bars from the latest of their first ones to the earliest of their last ones.
      select
        case when count(*) = count(b.first_utc) then max(b.first_utc) end,
        case
          when not p_stop_at_data_frontier then timestamptz 'infinity'
          when count(*) = count(b.last_utc) then coalesce(min(b.last_utc) + t.duration, t.decided_to_utc)
          else t.decided_to_utc
        end,
        max(c.derivation_version)
      from agg.synthetic_component as c
      cross join lateral (
        select
          (
            select b.ts_utc
            from public.data_bars as b
            where b.canonical_symbol = c.component and b.timeframe = '1m' and b.ts_utc >= t.decided_to_utc and b.ts_utc < p_now
            order by b.ts_utc
            limit 1
          ),
          (
            select b.ts_utc
            from public.data_bars as b
            where b.canonical_symbol = c.component and b.timeframe = '1m' and b.ts_utc < p_now
            order by b.ts_utc desc
            limit 1
          )
      ) as b (first_utc, last_utc)
      where c.canonical_symbol = t.symbol
      having t.is_synthetic
    ) as k
  ),
  begun as (
    select
      k.*,
      case
        when k.decided_to_utc >= k.frontier_utc or k.decided_to_utc >= k.end_utc then k.decided_to_utc
        -- Nothing to build: all is a gap, or waits.
        when k.first_utc is null and k.stored_utc is null
          then case when p_stop_at_data_frontier then k.decided_to_utc else least(k.frontier_utc, k.end_utc) end
        when k.window_time_zone is null then least(k.frontier_utc, k.end_utc, date_bin(k.duration, least(k.first_utc, k.stored_utc), k.origin_utc))
        else least(k.frontier_utc, agg.window_start(least(k.first_utc, k.stored_utc), k.duration, k.window_time_zone, k.origin))
      end as from_utc,
      least(k.frontier_utc, k.end_utc) as last_utc
    from known as k
  ),
  ended as (
    select
      b.*,
      case
        when b.from_utc >= b.last_utc or (b.first_utc is null and b.stored_utc is null) then b.from_utc
        when p_max_windows is null then b.last_utc
        when b.window_time_zone is null then least(b.last_utc, b.from_utc + b.duration * p_max_windows::double precision)
        else least(b.last_utc, greatest(
          agg.window_end(b.from_utc, b.duration, b.window_time_zone, b.origin),
          agg.window_start(b.from_utc + b.duration * p_max_windows::double precision, b.duration, b.window_time_zone, b.origin)
        ))
      end as to_utc
    from begun as b
  )
  select
    array_agg(e.symbol), e.timeframe, e.source_timeframe, e.duration, e.window_time_zone, e.origin,
    st.duration, e.decided_to_utc, e.from_utc, e.to_utc, e.frontier_utc, case when p_stop_at_data_frontier then p_now end,
    e.from_utc < e.to_utc and e.to_utc < e.last_utc, coalesce(p_derivation_version, e.derivation_version), e.good_percent, e.poor_percent,
    e.session_time_zone, e.session_minutes, e.calendar,
    coalesce(e.stored_utc < e.to_utc, false), coalesce(e.from_utc < e.followed_to_utc, false)
  from ended as e
  left join agg.timeframe as st on st.timeframe = e.source_timeframe
  group by
    e.timeframe, e.is_synthetic, e.source_timeframe, e.duration, e.window_time_zone, e.origin, st.duration, e.decided_to_utc, e.from_utc,
    e.to_utc, e.frontier_utc, e.from_utc < e.to_utc and e.to_utc < e.last_utc, e.derivation_version, e.good_percent, e.poor_percent,
    e.session_time_zone, e.session_minutes, e.calendar,
    coalesce(e.stored_utc < e.to_utc, false), coalesce(e.from_utc < e.followed_to_utc, false);
end;
$$;
