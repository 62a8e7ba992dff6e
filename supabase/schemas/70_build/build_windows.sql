comment on function agg.build_windows is
'Stores what agg.make_windows makes: writes only what differs from what is stored (agg.compare_windows), keeps windows with too few minutes for a bar, and soft-deletes bars of decided windows that no longer qualify. Returns a result for the symbols of each request with a source_timeframe.
Requests of one task must not overlap, and the caller has locked its row: two builders of one window would meet in a unique_violation.';

create function agg.build_windows(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.make_windows.
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
declare
  -- Most windows are built for the first time, and no symbol is in two requests: nothing to compare with.
  v_is_new constant boolean := not exists (select from unnest(p_requests) as q where q.is_rebuild and q.source_timeframe is not null)
    or cardinality(p_requests) = 1 and not exists (
      select
      from unnest(p_requests) as q
      cross join lateral unnest(q.symbols) as y (symbol)
      cross join lateral (
        select
        from public.derived_data_bars as d
        where d.canonical_symbol = y.symbol and d.timeframe = q.timeframe and d.ts_utc >= q.from_utc and d.ts_utc < q.to_utc
        limit 1
      ) as d
    );
begin
  -- Says to agg.keep_changed_bars who writes.
  perform set_config('pgbars.is_building_windows', 'on', true);
  return query
  with request as materialized (
    select q.* from unnest(p_requests) with ordinality as q where q.source_timeframe is not null
  ),
  compared as materialized (
    select w.*, w.covered_minutes > 0 as has_minutes from agg.compare_windows(p_requests) as w where not v_is_new
  ),
  -- Conflicts rather than joins: an update that joins may put the table first when it is thought to be empty.
  changed as (
    insert into public.derived_data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, is_partial, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.vwap_vol, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version, w.is_partial,
      case when w.quality_score is null or w.change = 'remove' then now() end
    from compared as w
    where w.change is not null
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      vol = excluded.vol,
      vwap = excluded.vwap,
      vwap_vol = excluded.vwap_vol,
      trade_count = excluded.trade_count,
      source_timeframe = excluded.source_timeframe,
      source_candles = excluded.source_candles,
      expected_candles = excluded.expected_candles,
      covered_minutes = excluded.covered_minutes,
      expected_minutes = excluded.expected_minutes,
      quality_score = excluded.quality_score,
      derivation_version = excluded.derivation_version,
      is_partial = excluded.is_partial,
      raw = case when d.raw ? 'migrated_from' then d.raw - 'migrated_from' else d.raw end,
      deleted_at = case when excluded.deleted_at is not null then coalesce(d.deleted_at, excluded.deleted_at) end,
      updated_at = greatest(now(), d.updated_at)
  ),
  -- New windows are those of the one request that has their symbol.
  tally as materialized (
    select
      0 as request_no, w.canonical_symbol, w.windows, w.bars, w.bars_poor,
      w.bars as inserted, 0 as updated, 0 as removed, w.windows as written, w.last_utc
    from agg.insert_windows(p_requests) as w
    where v_is_new
    union all
    select
      w.request_no, w.canonical_symbol,
      count(*) filter (where w.has_minutes)::integer,
      count(w.quality_score) filter (where w.has_minutes)::integer,
      count(*) filter (where w.quality_score = 0 and w.has_minutes)::integer,
      count(w.quality_score) filter (where not w.was_bar and w.has_minutes)::integer,
      count(w.quality_score) filter (where w.was_bar and w.change = 'update')::integer,
      count(w.change) filter (where w.was_bar and (not w.has_minutes or w.quality_score is null))::integer,
      count(w.change)::integer,
      max(w.ts_utc) filter (where w.has_minutes)
    from compared as w
    group by w.request_no, w.canonical_symbol
  ),
  -- In a tick the same comes of nearly all symbols: what follows is asked for those that fill no range.
  outcome as materialized (
    select
      g.request_no, g.symbols, g.windows, g.bars, g.bars_poor, g.inserted, g.updated, g.removed, g.written,
      -- Windows in UTC need no call.
      case
        when q.window_time_zone is null then g.last_utc + q.window_length
        else agg.window_end(g.last_utc, q.window_length, q.window_time_zone, q.window_origin)
      end as filled_to_utc
    from (
      select
        q.ordinality as request_no, array_agg(y.symbol) as symbols, coalesce(n.windows, 0) as windows, coalesce(n.bars, 0) as bars,
        coalesce(n.bars_poor, 0) as bars_poor, coalesce(n.inserted, 0) as inserted, coalesce(n.updated, 0) as updated,
        coalesce(n.removed, 0) as removed, coalesce(n.written, 0) as written, n.last_utc
      from request as q
      cross join lateral unnest(q.symbols) as y (symbol)
      left join tally as n on n.canonical_symbol = y.symbol and n.request_no = case when v_is_new then 0 else q.ordinality end
      group by q.ordinality, n.windows, n.bars, n.bars_poor, n.inserted, n.updated, n.removed, n.written, n.last_utc
    ) as g
    join request as q on q.ordinality = g.request_no
  ),
  -- What follows the bars of a range that they do not fill: the next source bar; and where source bars end, if none follows.
  -- Those outside the session fill no window, and decide it.
  probed as materialized (
    select
      t.request_no, t.symbol, t.timeframe, t.to_utc, t.frontier_utc, t.window_length, t.window_time_zone, t.window_origin,
      t.windows, t.bars, t.bars_poor, t.inserted, t.updated, t.removed, t.written,
      n.next_utc,
      case when n.next_utc is null and t.clock_utc is not null then greatest(t.filled_to_utc, (
        select agg.window_end(c.ts_utc, t.window_length, t.window_time_zone, t.window_origin)
        from agg.source_bar as c
        where c.canonical_symbol = t.symbol and c.timeframe = t.source_timeframe
          and c.ts_utc >= t.filled_to_utc and c.ts_utc < least(t.to_utc, t.clock_utc) and c.covered_minutes > 0
        order by c.ts_utc desc
        limit 1
      )) end as reached_utc
    from (
      select
        o.request_no, y.symbol, q.timeframe, q.source_timeframe, q.window_length, q.window_time_zone, q.window_origin,
        q.to_utc, q.frontier_utc, q.clock_utc, coalesce(o.filled_to_utc, q.from_utc) as filled_to_utc,
        o.windows, o.bars, o.bars_poor, o.inserted, o.updated, o.removed, o.written
      from outcome as o
      join request as q on q.ordinality = o.request_no
      cross join lateral unnest(o.symbols) as y (symbol)
      where coalesce(o.filled_to_utc, q.from_utc) < q.to_utc
    ) as t
    cross join lateral (
      select (
        select c.ts_utc
        from agg.source_bar as c
        where c.canonical_symbol = t.symbol and c.timeframe = t.source_timeframe
          and c.ts_utc >= t.to_utc and c.ts_utc < coalesce(t.clock_utc, 'infinity') and c.covered_minutes > 0
        order by c.ts_utc
        limit 1
      )
      offset 0
    ) as n (next_utc)
  ),
  opening as materialized (
    select
      p.request_no, p.reached_utc,
      agg.window_start(
        agg.next_open(q.session_time_zone, q.session_minutes, q.calendar, p.reached_utc, q.frontier_utc),
        q.window_length, q.window_time_zone, q.window_origin
      ) as opens_utc
    from (select distinct t.request_no, t.reached_utc from probed as t where t.reached_utc is not null) as p
    join request as q on q.ordinality = p.request_no
  ),
  -- Windows are decided to the end of the range; or over the gap behind it, however long, to the next source bar or to a stored
  -- bar that has to go; or, where the task waits for data, to where its source bars end, and on while the market is closed.
  decided as (
    select
      o.request_no, o.symbols, o.windows, o.bars, o.bars_poor, o.inserted, o.updated, o.removed, o.written, q.to_utc as decided_to_utc
    from outcome as o
    join request as q on q.ordinality = o.request_no
    where coalesce(o.filled_to_utc, q.from_utc) >= q.to_utc
    union all
    select
      d.request_no, array_agg(d.symbol), d.windows, d.bars, d.bars_poor, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc
    from (
      select
        t.*,
        case
          when t.reached_utc is not null then least(t.frontier_utc, greatest(t.reached_utc, o.opens_utc))
          else least(
            t.frontier_utc,
            agg.window_start(t.next_utc, t.window_length, t.window_time_zone, t.window_origin),
            -- A row of another alignment lies within a window.
            (
              select agg.window_start(d.ts_utc, t.window_length, t.window_time_zone, t.window_origin)
              from public.derived_data_bars as d
              where d.canonical_symbol = t.symbol and d.timeframe = t.timeframe and d.ts_utc >= t.to_utc
              order by d.ts_utc
              limit 1
            )
          )
        end as decided_to_utc
      from probed as t
      left join opening as o on o.request_no = t.request_no and o.reached_utc = t.reached_utc
    ) as d
    group by d.request_no, d.windows, d.bars, d.bars_poor, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc
  )
  select
    d.symbols, q.timeframe, q.window_length, q.window_time_zone, q.window_origin, q.from_utc, q.to_utc,
    d.windows, d.bars, case when q.poor_percent > 0 then d.bars_poor else 0 end, d.inserted, d.updated, d.removed, d.written, d.decided_to_utc,
    agg.stopped_reason(q.from_utc, q.frontier_utc, d.decided_to_utc >= q.to_utc, d.decided_to_utc),
    q.is_rebuild, null::tstzmultirange, null::text, null::text
  from decided as d
  join request as q on q.ordinality = d.request_no;
  perform set_config('pgbars.is_building_windows', 'off', true);
end;
$$;
