comment on function agg.make_windows is
'The one rule that turns source bars into bars, for requests of any number of tasks and windows, in one statement.
Returns each window that has minutes, with the bar that they make, as one to insert. derivation_version is that of the request. Reads only.';

-- First open, highest high, lowest low, last close, sums; vwap = sum(vwap * vwap_vol) / sum(vwap_vol). Quality is coverage: the
-- minutes that went in against those in which session and calendar are open. Windows with too few minutes for a bar are kept
-- for longer bars, so that each of these equals what its minutes say.
create function agg.make_windows(p_requests agg.build_request[])
returns setof agg.window_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is a range of a key for each symbol, read in key order. Statistics of a table that has just been loaded, or a plan
-- cached before, must not turn one into a scan or a sort of the table. Joins of two sets are hashed.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set enable_sort = off
set enable_hashagg = on
set enable_memoize = off
set max_parallel_workers_per_gather = 0
set jit = off
set work_mem = '32MB'
as $$
begin
  return query
  with request as materialized (
    select
      o.*, z.origin_utc, z.is_derived, u.open, v.ranges,
      -- Also where the session opens or closes within windows: each minute is looked at then.
      z.is_derived or z.is_local or z.is_single or coalesce(u.open <> v.ranges, false) as is_by_window,
      z.is_single and not z.is_local as is_one_window,
      (extract(epoch from o.window_length) / 60)::integer as window_minutes,
      (extract(epoch from o.source_length) / 60)::integer as source_minutes
    from unnest(p_requests) with ordinality as o
    cross join lateral (
      select
        o.window_origin at time zone 'UTC', o.source_timeframe <> '1m', o.window_time_zone is not null, o.to_utc <= o.from_utc + o.window_length
    ) as z (origin_utc, is_derived, is_local, is_single)
    cross join lateral (
      select case
        when o.session_minutes is not null or o.calendar is not null
          then agg.open_spans(o.session_time_zone, o.session_minutes, o.calendar, o.from_utc, o.to_utc)
      end
      offset 0
    ) as u (open)
    -- Where windows are looked for: of a session in UTC where it is open, otherwise everywhere.
    cross join lateral (
      select case
        when u.open is null or z.is_derived or z.is_local or z.is_single then tstzmultirange(tstzrange(o.from_utc, o.to_utc))
        else (
          select coalesce(range_agg(tstzrange(
            date_bin(o.window_length, lower(p.span), z.origin_utc),
            date_bin(o.window_length, upper(p.span) + o.window_length - interval '1 microsecond', z.origin_utc)
          )), '{}')
          from unnest(u.open) as p (span)
        )
      end
      offset 0
    ) as v (ranges)
    where o.source_timeframe is not null and o.from_utc < o.to_utc
  ),
  -- What is read in one go, for each symbol: a window; or of minutes the whole range, and of a session what is open.
  stretch as materialized (
    select
      r.ordinality, t.from_utc, t.to_utc, t.window_start,
      case when r.open is null then t.window_minutes else 0 end as expected_minutes,
      case when r.open is null then t.window_minutes / r.source_minutes else 0 end as expected_candles
    from request as r
    cross join lateral (
      select w.starts_utc, w.ends_utc, w.starts_utc, (extract(epoch from w.ends_utc - w.starts_utc) / 60)::integer
      from unnest(r.ranges) as u (span)
      cross join lateral agg.windows_between(lower(u.span), upper(u.span), r.window_length, r.window_time_zone, r.window_origin) as w
      where r.is_by_window and not r.is_one_window
      union all
      select r.from_utc, r.to_utc, r.from_utc, r.window_minutes
      where r.is_one_window
      union all
      -- Minutes outside the session are in no bar.
      select lower(u.span), upper(u.span), null, r.window_minutes
      from unnest(r.ranges) as u (span)
      where not r.is_by_window
    ) as t (from_utc, to_utc, window_start, window_minutes)
  ),
  -- How many minutes of each window are open, and how many of its source windows have one.
  expected as materialized (
    select s.ordinality, s.ts_utc, sum(s.minutes)::integer as minutes, case when s.is_minute then sum(s.minutes) else count(*) end::integer as candles
    from (
      select
        g.ordinality, g.is_minute, sum(extract(epoch from least(g.ends_utc, upper(g.span)) - greatest(g.starts_utc, lower(g.span)))) / 60 as minutes,
        case
          when g.window_time_zone is null then date_bin(g.window_length, g.starts_utc, g.origin_utc)
          else agg.window_start(g.starts_utc, g.window_length, g.window_time_zone, g.window_origin)
        end as ts_utc
      from (
        select r.ordinality, r.window_length, r.window_time_zone, r.window_origin, r.origin_utc, l.is_minute, u.span, w.starts_utc, w.ends_utc
        from request as r
        cross join lateral (
          select true, r.window_length, r.window_time_zone, r.window_origin where not r.is_derived
          union all
          -- Windows of up to an hour are aligned in UTC, wherever those of the request begin.
          select false, r.source_length, null, timestamp '2000-01-03 00:00:00' where r.is_derived
        ) as l (is_minute, length, time_zone, origin)
        cross join lateral unnest(r.open) as u (span)
        cross join lateral agg.windows_between(lower(u.span), upper(u.span), l.length, l.time_zone, l.origin) as w
        where r.open is not null
      ) as g
      group by g.ordinality, g.is_minute, g.window_length, g.window_time_zone, g.window_origin, g.origin_utc, g.starts_utc
    ) as s
    group by s.ordinality, s.ts_utc, s.is_minute
  )
  select
    b.ordinality, b.symbol, b.timeframe, b.ts_utc,
    b.open, b.high, b.low, b.close, b.vol, b.vwap, b.vwap_vol, b.trade_count,
    b.source_timeframe, b.source_candles, b.expected_candles, b.covered_minutes, b.expected_minutes,
    case
      when b.expected_minutes = 0 then null
      when b.covered_minutes >= b.expected_minutes then 2
      when b.covered_minutes * 100 >= b.expected_minutes * b.good_percent then 1
      when b.covered_minutes * 100 >= b.expected_minutes * b.poor_percent then 0
    end::smallint,
    b.derivation_version, b.is_partial, 'insert', false
  from (
    select
      a.ordinality, a.symbol, a.timeframe, a.source_timeframe, a.derivation_version, a.good_percent, a.poor_percent,
      a.ts_utc, a.open, a.high, a.low, a.close, a.vol, a.vwap, a.vwap_vol, a.trade_count, a.source_candles, a.covered_minutes, a.is_partial,
      coalesce(e.minutes, a.expected_minutes) as expected_minutes, coalesce(e.candles, a.expected_candles) as expected_candles
    from (
      -- Three ways to read, one rule. Columns come in the order in which they are asked for above: so the planner leaves out the
      -- layer of a subquery, which would copy each row.
      -- Minutes, window by window: grouping costs a single window as much as its minutes.
      select
        r.ordinality, y.symbol, r.timeframe, r.source_timeframe, r.derivation_version, r.good_percent, r.poor_percent, w.*,
        s.expected_minutes, s.expected_candles
      from request as r
      join stretch as s on s.ordinality = r.ordinality
      cross join lateral unnest(r.symbols) as y (symbol)
      cross join lateral (
        select
          s.window_start as ts_utc,
          -- Over a sorted subquery: in the order of ts_utc.
          (array_agg(f.open))[1] as open,
          max(f.high) as high,
          min(f.low) as low,
          (array_agg(f.close))[count(*)] as close,
          sum(f.vol) as vol,
          sum(f.vwap * f.vol) filter (where f.vol > 0) / sum(f.vol) filter (where f.vol > 0 and f.vwap is not null) as vwap,
          sum(f.vol) filter (where f.vol > 0 and f.vwap is not null) as vwap_vol,
          sum(f.trade_count)::bigint as trade_count,
          count(*)::integer as source_candles,
          count(*)::integer as covered_minutes,
          bool_or(f.is_partial) as is_partial
        from (
          select d.*
          from public.data_bars as d
          where d.canonical_symbol = y.symbol and d.timeframe = '1m' and d.ts_utc >= s.from_utc and d.ts_utc < s.to_utc
            and (r.open is null or r.open @> d.ts_utc)
          -- Sums of floats depend on the order: with this one a bar built again is the same to the last bit.
          order by d.ts_utc
        ) as f
        offset 0
      ) as w
      where not r.is_derived and s.window_start is not null and w.covered_minutes > 0
      union all
      -- Minutes of many windows, all of them in the session.
      select
        r.ordinality, y.symbol, r.timeframe, r.source_timeframe, r.derivation_version, r.good_percent, r.poor_percent, w.*,
        s.expected_minutes, s.expected_candles
      from request as r
      join stretch as s on s.ordinality = r.ordinality
      cross join lateral unnest(r.symbols) as y (symbol)
      cross join lateral (
        select
          f.window_start as ts_utc,
          -- Over a sorted subquery: in the order of ts_utc.
          (array_agg(f.open))[1] as open,
          max(f.high) as high,
          min(f.low) as low,
          (array_agg(f.close))[count(*)] as close,
          sum(f.vol) as vol,
          sum(f.vwap * f.vol) filter (where f.vol > 0) / sum(f.vol) filter (where f.vol > 0 and f.vwap is not null) as vwap,
          sum(f.vol) filter (where f.vol > 0 and f.vwap is not null) as vwap_vol,
          sum(f.trade_count)::bigint as trade_count,
          count(*)::integer as source_candles,
          count(*)::integer as covered_minutes,
          bool_or(f.is_partial) as is_partial
        from (
          select
            date_bin(r.window_length, d.ts_utc, r.origin_utc) as window_start,
            d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count, d.is_partial
          from public.data_bars as d
          where d.canonical_symbol = y.symbol and d.timeframe = '1m' and d.ts_utc >= s.from_utc and d.ts_utc < s.to_utc
          order by d.ts_utc
        ) as f
        group by 1
        offset 0
      ) as w
      where s.window_start is null
      union all
      -- Bars, and the windows that have too few minutes for one.
      select
        r.ordinality, y.symbol, r.timeframe, r.source_timeframe, r.derivation_version, r.good_percent, r.poor_percent, w.*,
        s.expected_minutes, s.expected_candles
      from request as r
      join stretch as s on s.ordinality = r.ordinality
      cross join lateral unnest(r.symbols) as y (symbol)
      cross join lateral (
        select
          s.window_start as ts_utc,
          -- Over a sorted subquery: in the order of ts_utc.
          (array_agg(f.open))[1] as open,
          max(f.high) as high,
          min(f.low) as low,
          (array_agg(f.close))[count(*)] as close,
          sum(f.vol) as vol,
          sum(f.vwap * f.vwap_vol) / sum(f.vwap_vol) as vwap,
          sum(f.vwap_vol) as vwap_vol,
          sum(f.trade_count)::bigint as trade_count,
          count(*) filter (where f.is_bar)::integer as source_candles,
          sum(f.covered_minutes)::integer as covered_minutes,
          bool_or(f.is_partial) as is_partial
        from (
          select d.*, d.deleted_at is null as is_bar
          from public.derived_data_bars as d
          where d.canonical_symbol = y.symbol and d.timeframe = r.source_timeframe and d.ts_utc >= s.from_utc and d.ts_utc < s.to_utc
            and d.covered_minutes > 0
          order by d.ts_utc
        ) as f
        offset 0
      ) as w
      where r.is_derived and w.covered_minutes > 0
    ) as a
    left join expected as e on e.ordinality = a.ordinality and e.ts_utc = a.ts_utc
    offset 0
  ) as b;
end;
$$;
