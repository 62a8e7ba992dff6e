comment on function agg.plan_builds is
  'What tasks of one timeframe may decide at p_now: one request for all symbols that want the same windows with the same settings. They begin with the window after the cursor (p_cursor_utc, or the stored one), never before agg_start_utc, and end at the nearest of time frontier, source frontier and p_max_windows windows (of more than a million the first million). Windows in which the market is closed need no time to pass: the time frontier lies before the next window that is open. A synthetic series goes up to the last minute for which all components have bars.
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
-- Groups are hashed: most of thousands of tasks want the same.
set enable_sort = off
set jit = off
as $$
declare
  v_is_of_minutes constant boolean := not exists (
    select from agg.timeframe as t where t.timeframe = p_timeframe and t.source_timeframe <> '1m'
  );
  -- Minutes come of a task only where there are baskets.
  v_has_source_tasks constant boolean := not v_is_of_minutes or exists (select from public.data_agg_state as s where s.basket is not null);
begin
  -- Planning costs a millisecond, and joins thousands of symbols at once.
  if cardinality(p_symbols) > 500 then
    perform set_config('plan_cache_mode', 'force_custom_plan', true);
  end if;
  return query
  -- Grouped as it is stored, before anything is computed: in a tick nearly all want the same.
  with task as materialized (
    select
      array_agg(c.symbol) as symbols, s.source_timeframe, s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent,
      s.session_time_zone, s.session_minutes, s.calendar, s.aggregation_delay_seconds, s.last_agg_bar_ts_utc, s.built_to_utc,
      f.agg_start_utc, u.decided_to_utc as source_frontier_utc, b.derivation_version, b.last_utc
    from unnest(p_symbols) as c (symbol)
    join agg.timeframe as t on t.timeframe = p_timeframe
    left join public.data_agg_state as s on s.canonical_symbol = c.symbol and s.timeframe = p_timeframe
    -- A cursor behind it is of no interest.
    cross join lateral (
      select case when p_cursor_utc is not null or s.last_agg_bar_ts_utc < s.agg_start_utc then s.agg_start_utc end
    ) as f (agg_start_utc)
    cross join lateral (
      select case when t.source_timeframe is not null then coalesce(s.source_timeframe, t.source_timeframe) end
    ) as w (source_timeframe)
    left join agg.task as u
      on v_has_source_tasks and u.canonical_symbol = c.symbol and u.timeframe = w.source_timeframe and u.enabled
        and (not v_is_of_minutes or u.basket is not null)
    -- Of a basket: its version, and the last minute of the component that ends first; null where one has no minute at all.
    cross join lateral (
      select
        case when p_timeframe = '1m' then (
          select max(k.derivation_version) from agg.synthetic_component as k where k.canonical_symbol = c.symbol
        ) end,
        case when p_timeframe = '1m' then (
          select case when count(*) = count(l.ts_utc) then min(l.ts_utc) end
          from agg.synthetic_component as k
          left join lateral (
            select b.ts_utc
            from public.data_bars as b
            where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc < p_now
            order by b.ts_utc desc
            limit 1
          ) as l on true
          where k.canonical_symbol = c.symbol
        ) end
    ) as b (derivation_version, last_utc)
    group by
      s.source_timeframe, s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent,
      s.session_time_zone, s.session_minutes, s.calendar, s.aggregation_delay_seconds, s.last_agg_bar_ts_utc, s.built_to_utc,
      f.agg_start_utc, u.decided_to_utc, b.derivation_version, b.last_utc
  ),
  wish as materialized (
    select
      k.symbols, t.timeframe, t.duration, st.timeframe as source_timeframe, st.duration as source_length, k.window_time_zone, o.origin,
      coalesce(k.good_percent, d.good_percent) as good_percent, coalesce(k.poor_percent, d.poor_percent) as poor_percent,
      k.session_time_zone, k.session_minutes, k.calendar, coalesce(k.aggregation_delay_seconds, d.delay_seconds) as delay_seconds,
      n.from_utc, k.source_frontier_utc, k.derivation_version,
      -- Where a component ends, the series does.
      case when p_timeframe = '1m' then coalesce(k.last_utc + t.duration, '-infinity') end as data_end_utc,
      coalesce(
        n.from_utc < greatest(agg.window_end(k.last_agg_bar_ts_utc, t.duration, k.window_time_zone, o.origin), k.built_to_utc), true
      ) as is_rebuild
    from task as k
    cross join agg.defaults as d
    join agg.timeframe as t on t.timeframe = p_timeframe
    left join agg.timeframe as st
      on st.timeframe = case when t.source_timeframe is not null then coalesce(k.source_timeframe, t.source_timeframe) end
    cross join lateral (select coalesce(k.window_origin, timestamp '2000-01-03 00:00:00')) as o (origin)
    cross join lateral (
      select agg.window_end(
        greatest(
          coalesce(p_cursor_utc, k.last_agg_bar_ts_utc), agg.bootstrap_cursor(k.agg_start_utc, t.duration, k.window_time_zone, o.origin)
        ),
        t.duration, k.window_time_zone, o.origin
      )
      offset 0
    ) as n (from_utc)
  )
  select
    w.symbols, w.timeframe, w.source_timeframe, w.duration, w.window_time_zone, w.origin, w.source_length,
    w.from_utc, greatest(w.from_utc, least(e.last_utc, e.limit_utc)), f.frontier_utc,
    case when p_stop_at_data_frontier then p_now end, e.limit_utc < e.last_utc,
    coalesce(p_derivation_version, w.derivation_version), w.good_percent, w.poor_percent,
    w.session_time_zone, w.session_minutes, w.calendar, w.is_rebuild
  from wish as w
  cross join lateral (
    select agg.window_start(p_now - make_interval(secs => w.delay_seconds), w.duration, w.window_time_zone, w.origin)
    offset 0
  ) as n (complete_utc)
  cross join lateral (
    -- Looked for two weeks ahead: no market is closed for longer.
    select agg.window_start(
      least(
        agg.next_open(w.session_time_zone, w.session_minutes, w.calendar, n.complete_utc, n.complete_utc + interval '336 hours'),
        w.source_frontier_utc
      ),
      w.duration, w.window_time_zone, w.origin
    )
    offset 0
  ) as f (frontier_utc)
  cross join lateral (
    select
      least(f.frontier_utc, case when p_stop_at_data_frontier then w.data_end_utc end) as last_utc,
      case when p_max_windows is null then timestamptz 'infinity' else greatest(
        agg.window_end(w.from_utc, w.duration, w.window_time_zone, w.origin),
        agg.window_start(w.from_utc + w.duration * least(p_max_windows, 1000000)::double precision, w.duration, w.window_time_zone, w.origin)
      ) end as limit_utc
    offset 0
  ) as e;
end;
$$;
