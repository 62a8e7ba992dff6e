comment on function agg.rebuild_requests is
'Requests to build again the decided windows that the changes touch: one for each run of windows, at most p_max_windows a task, the newest of them.';

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
      c.canonical_symbol, c.timeframe, t.source_timeframe, t.duration, st.duration as source_duration, w.span,
      s.good_percent, s.poor_percent, s.session_time_zone, s.session_minutes,
      extract(epoch from upper(w.span) - lower(w.span))::bigint / extract(epoch from t.duration)::bigint as windows
    from unnest(p_changes) as c
    join agg.task as s on s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
    join agg.timeframe as t on t.timeframe = c.timeframe
    left join agg.timeframe as st on st.timeframe = t.source_timeframe
    cross join lateral (
      select
        agg.bootstrap_cursor(s.agg_start_utc, t.duration) + t.duration,
        s.followed_to_utc
    ) as k (start_utc, end_utc)
    cross join lateral (
      select range_agg(tstzrange(
        date_bin(t.duration, lower(d.span), timestamptz '2000-01-01 00:00:00+00'),
        date_bin(t.duration, upper(d.span) + t.duration - interval '1 microsecond', timestamptz '2000-01-01 00:00:00+00')
      ))
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
            date_bin(t.duration, min(x.first_utc), timestamptz '2000-01-01 00:00:00+00'),
            date_bin(t.duration, max(x.last_utc), timestamptz '2000-01-01 00:00:00+00') + t.duration
          )
          from (
            select min(c.ts_utc) as first_utc, max(c.ts_utc) as last_utc
            from agg.source_bar as c
            where c.canonical_symbol = s.canonical_symbol and c.timeframe = t.source_timeframe
              and c.ts_utc >= lower(u.span) and c.ts_utc < upper(u.span) and c.deleted_at is null
            union all
            select min(d.ts_utc), max(d.ts_utc)
            from public.derived_data_bars as d
            where d.canonical_symbol = s.canonical_symbol and d.timeframe = s.timeframe
              and d.ts_utc >= lower(u.span) and d.ts_utc < upper(u.span) and d.deleted_at is null
          ) as x
          having max(x.last_utc) is not null
        )
      end
    ) as w (span)
    where w.span is not null
  ),
  ranked as (
    select
      r.*, sum(r.windows) over (partition by r.canonical_symbol, r.timeframe order by r.span desc) - r.windows as newer_windows
    from run as r
  )
  select
    r.canonical_symbol, r.timeframe, r.source_timeframe, r.duration, r.source_duration,
    upper(r.span) - r.duration * least(r.windows, p_max_windows - r.newer_windows)::double precision,
    upper(r.span), upper(r.span), null::timestamptz, null::integer,
    case when r.source_timeframe is null then (
      select k.derivation_version from agg.synthetic_component as k where k.canonical_symbol = r.canonical_symbol limit 1
    ) end,
    r.good_percent, r.poor_percent, r.session_time_zone, r.session_minutes, true
  from ranked as r
  where p_max_windows is null or r.newer_windows < p_max_windows;
end;
$$;
