comment on function agg.build_synthetic is
  'Stores what agg.compare_synthetic finds: writes only what differs, and deletes synthetic minutes that are not complete any more. The caller has locked the rows of the tasks. One result for each request without a source_timeframe: windows counts minutes with at least one component, bars those that are complete.';

create function agg.build_synthetic(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.compare_synthetic.
set enable_seqscan = off
set enable_hashjoin = off
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
    max(t.canonical_symbol), max(t.timeframe), max(t.window_length), max(t.from_utc), max(t.to_utc),
    count(t.ts_utc)::integer,
    count(*) filter (where t.is_complete)::integer,
    0,
    count(*) filter (where t.change = 'insert')::integer,
    count(*) filter (where t.change = 'update')::integer,
    count(*) filter (where t.change = 'remove')::integer,
    coalesce(max(t.limit_utc), max(t.to_utc)),
    agg.stopped_reason(
      max(t.from_utc), max(t.window_length), max(t.frontier_utc), coalesce(max(t.limit_utc) < max(t.to_utc), false),
      coalesce(max(t.limit_utc), max(t.to_utc))
    ),
    bool_or(t.is_rebuild), null::tstzmultirange, null::text, null::text
  from (
    select
      o.ordinality as request_no, o.canonical_symbol, o.timeframe, o.window_length, o.from_utc, o.to_utc, o.frontier_utc,
      o.is_rebuild, null::timestamptz as limit_utc, null::timestamptz as ts_utc, null::boolean as is_complete, null::text as change
    from unnest(p_requests) with ordinality as o
    where o.source_timeframe is null
    union all
    select
      m.request_no, null, null, null, null, null, null, null, m.limit_utc,
      case when m.change is distinct from 'remove' then m.ts_utc end,
      case when m.change is distinct from 'remove' then m.is_complete end,
      m.change
    from minute as m
  ) as t
  group by t.request_no;
  perform set_config('pgbars.is_building', 'off', true);
end;
$$;
