comment on function agg.build_synthetic is
  'Stores what agg.compare_synthetic finds: writes only what differs, and deletes synthetic minutes that are not complete any more. The caller has locked the rows of the tasks. One result for each series of requests without a source_timeframe: windows counts minutes with at least one component, bars those that are complete.';

create function agg.build_synthetic(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.compare_synthetic.
set enable_seqscan = off
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set jit = off
as $$
begin
  if not exists (select from unnest(p_requests) as o where o.source_timeframe is null) then
    return;
  end if;

  perform set_config('pgbars.is_building', 'on', true);
  return query
  with minute as materialized (
    select m.* from agg.compare_synthetic(p_requests) as m
  ),
  stored as (
    insert into public.data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, source, raw
    )
    select
      m.canonical_symbol, m.timeframe, m.ts_utc, m.open, m.high, m.low, m.close, 0, null, 0, 'synthetic', m.raw
    from minute as m
    where m.change in ('insert', 'update')
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      vol = excluded.vol,
      vwap = excluded.vwap,
      trade_count = excluded.trade_count,
      is_partial = excluded.is_partial,
      source = excluded.source,
      raw = excluded.raw,
      updated_at = now()
  ),
  removed as (
    delete from public.data_bars as d
    where d.canonical_symbol = any (array(select m.canonical_symbol from minute as m where m.change = 'remove'))
      and d.timeframe = '1m'
      and d.ts_utc = any (array(select m.ts_utc from minute as m where m.change = 'remove'))
      -- Looked up rather than joined: a join may read the table first while the planner takes it for empty. coalesce keeps
      -- the planner from making a join of it.
      and coalesce((d.canonical_symbol, d.ts_utc) in (select m.canonical_symbol, m.ts_utc from minute as m where m.change = 'remove'), false)
  )
  select
    array[y.symbol], q.timeframe, q.window_length, q.window_time_zone, q.window_origin, q.from_utc, q.to_utc,
    coalesce(n.minutes, 0), coalesce(n.complete, 0), 0,
    coalesce(n.inserted, 0), coalesce(n.updated, 0), coalesce(n.removed, 0), coalesce(n.inserted + n.updated + n.removed, 0),
    q.to_utc, agg.stopped_reason(q.from_utc, q.frontier_utc, q.is_limited, q.to_utc),
    q.is_rebuild, null::tstzmultirange, null::text, null::text
  from unnest(p_requests) with ordinality as q
  cross join lateral unnest(q.symbols) as y (symbol)
  left join (
    select
      m.request_no, m.canonical_symbol,
      count(*) filter (where m.change is distinct from 'remove')::integer as minutes,
      count(*) filter (where m.is_complete and m.change is distinct from 'remove')::integer as complete,
      count(*) filter (where m.change = 'insert')::integer as inserted,
      count(*) filter (where m.change = 'update')::integer as updated,
      count(*) filter (where m.change = 'remove')::integer as removed
    from minute as m
    group by m.request_no, m.canonical_symbol
  ) as n on n.request_no = q.ordinality and n.canonical_symbol = y.symbol
  where q.source_timeframe is null;
  perform set_config('pgbars.is_building', 'off', true);
end;
$$;
