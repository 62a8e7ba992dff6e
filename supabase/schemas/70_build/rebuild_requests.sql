comment on function agg.rebuild_requests is
'Requests to build again the decided windows that the changes touch: one for each run of windows, at most p_max_windows a task, the newest of them (is_limited: there are more). Symbols with the same run and settings share a request.';

create function agg.rebuild_requests(p_changes agg.changed_span[], p_max_windows integer default null)
returns setof agg.build_request
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  return query
  with run as (
    select
      c.canonical_symbol, t.timeframe, case when t.source_timeframe is not null then s.source_timeframe end as source_timeframe,
      t.duration, w.span,
      s.window_time_zone, s.window_origin, s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes, s.calendar,
      ceil(date_part('epoch', upper(w.span) - lower(w.span)) / date_part('epoch', t.duration)) as windows
    from unnest(p_changes) as c
    join agg.timeframe as t on t.timeframe = c.timeframe
    cross join lateral (
      select k.*
      from agg.task as k
      where k.canonical_symbol = c.canonical_symbol and k.timeframe = c.timeframe
      -- Or the planner would read all tasks for each change.
      offset 0
    ) as s
    cross join lateral (
      select
        case
          -- The first window begins before that.
          when lower(c.spans) >= s.agg_start_utc + 2 * t.duration then lower(c.spans)
          else agg.window_end(
            agg.bootstrap_cursor(s.agg_start_utc, t.duration, s.window_time_zone, s.window_origin), t.duration, s.window_time_zone, s.window_origin
          )
        end,
        s.followed_to_utc
    ) as k (start_utc, end_utc)
    cross join lateral (
      -- Windows in UTC need no call.
      select range_agg(case
        when s.window_time_zone is null then tstzrange(
          date_bin(s.window_length, lower(d.span), s.window_origin at time zone 'UTC'),
          date_bin(s.window_length, upper(d.span) - interval '1 microsecond', s.window_origin at time zone 'UTC') + s.window_length
        )
        else tstzrange(
          agg.window_start(lower(d.span), t.duration, s.window_time_zone, s.window_origin),
          agg.window_end(upper(d.span) - interval '1 microsecond', t.duration, s.window_time_zone, s.window_origin)
        )
      end)
      from unnest(
        c.spans * case when k.start_utc < k.end_utc then tstzmultirange(tstzrange(k.start_utc, k.end_utc)) else '{}' end
      ) as d (span)
    ) as a (spans)
    cross join lateral unnest(a.spans) as u (span)
    cross join lateral (
      select case
        when s.basket is not null or upper(u.span) - lower(u.span) <= 1000 * t.duration then u.span
        -- Years without a bar would take their share of every batch.
        else (
          select tstzrange(
            agg.window_start(min(x.first_utc), t.duration, s.window_time_zone, s.window_origin),
            agg.window_end(max(x.last_utc), t.duration, s.window_time_zone, s.window_origin)
          )
          from (
            select min(c.ts_utc) as first_utc, max(c.ts_utc) as last_utc
            from agg.source_bar as c
            where c.canonical_symbol = s.canonical_symbol and c.timeframe = s.source_timeframe
              and c.ts_utc >= lower(u.span) and c.ts_utc < upper(u.span) and c.covered_minutes > 0
            union all
            select min(d.ts_utc), max(d.ts_utc)
            from public.derived_data_bars as d
            where d.canonical_symbol = s.canonical_symbol and d.timeframe = s.timeframe
              and d.ts_utc >= lower(u.span) and d.ts_utc < upper(u.span) and (d.deleted_at is null or d.covered_minutes > 0)
          ) as x
          having max(x.last_utc) is not null
        )
      end
      -- Or the planner would copy this to each use of span.
      offset 0
    ) as w (span)
    where w.span is not null
  ),
  ranked as (
    select
      r.*, sum(r.windows) over (partition by r.canonical_symbol, r.timeframe order by r.span desc) - r.windows as newer_windows,
      sum(r.windows) over (partition by r.canonical_symbol, r.timeframe) > p_max_windows as is_limited
    from run as r
  ),
  limited as (
    select
      r.*,
      case
        when r.windows <= p_max_windows - r.newer_windows or p_max_windows is null then lower(r.span)
        else agg.window_start(
          upper(r.span) - r.duration * (p_max_windows - r.newer_windows), r.duration, r.window_time_zone, r.window_origin
        )
      end as from_utc
    from ranked as r
    where p_max_windows is null or r.newer_windows < p_max_windows
  )
  select
    array_agg(l.canonical_symbol), l.timeframe, l.source_timeframe, l.duration, l.window_time_zone, l.window_origin, st.duration,
    l.from_utc, upper(l.span), upper(l.span), null::timestamptz, coalesce(l.is_limited, false),
    case when l.source_timeframe is null then (
      select k.derivation_version from agg.synthetic_component as k where k.canonical_symbol = min(l.canonical_symbol) limit 1
    ) end,
    l.good_percent, l.poor_percent, l.session_time_zone, l.session_minutes, l.calendar, true
  from limited as l
  left join agg.timeframe as st on st.timeframe = l.source_timeframe
  group by
    l.from_utc, l.span, l.is_limited, l.timeframe, l.source_timeframe, l.duration, l.window_time_zone, l.window_origin, st.duration,
    l.good_percent, l.poor_percent, l.session_time_zone, l.session_minutes, l.calendar,
    -- Each series has a basket of its own.
    case when l.source_timeframe is null then l.canonical_symbol end;
end;
$$;
