comment on function agg.build_windows is
  'Stores what agg.compare_windows finds: writes only what differs, and soft-deletes bars of decided windows that no longer qualify. Orders of one task must not overlap, and the caller has locked its row: two builders of one window would meet in a unique_violation. A result row for each order with a source_timeframe.';

create function agg.build_windows(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.compare_windows.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
set enable_hashagg = on
set jit = off
set work_mem = '32MB'
as $$
begin
  return query
  with window_bar as materialized (
    select w.* from agg.compare_windows(p_requests) as w
  ),
  inserted as (
    insert into public.derived_data_bars (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version
    from window_bar as w
    where w.change = 'insert'
  ),
  -- Conflicts rather than joins: an update that joins may put the table first when it is thought to be empty.
  changed as (
    insert into public.derived_data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version, case w.change when 'remove' then now() end
    from window_bar as w
    where w.change in ('update', 'remove')
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open,
      high = excluded.high,
      low = excluded.low,
      close = excluded.close,
      vol = excluded.vol,
      vwap = excluded.vwap,
      trade_count = excluded.trade_count,
      source_timeframe = excluded.source_timeframe,
      source_candles = excluded.source_candles,
      expected_candles = excluded.expected_candles,
      covered_minutes = excluded.covered_minutes,
      expected_minutes = excluded.expected_minutes,
      quality_score = excluded.quality_score,
      derivation_version = excluded.derivation_version,
      deleted_at = excluded.deleted_at,
      updated_at = now()
  ),
  tally as (
    -- Grouped rather than joined: linear whatever the planner believes of the number of orders.
    select
      t.request_no,
      max(t.canonical_symbol) as canonical_symbol,
      max(t.timeframe) as timeframe,
      max(t.source_timeframe) as source_timeframe,
      max(t.window_length) as window_length,
      max(t.from_utc) as from_utc,
      max(t.to_utc) as to_utc,
      max(t.frontier_utc) as frontier_utc,
      max(t.clock_utc) as clock_utc,
      bool_or(t.is_rebuild) as is_rebuild,
      count(t.ts_utc)::integer as windows,
      count(t.quality_score)::integer as bars,
      count(*) filter (where t.quality_score = 0)::integer as bars_poor,
      count(*) filter (where t.change = 'insert')::integer as inserted,
      count(*) filter (where t.change = 'update')::integer as updated,
      count(*) filter (where t.change = 'remove')::integer as removed,
      count(t.ts_utc) >= max(t.max_windows) as is_full,
      coalesce(max(t.ts_utc) + max(t.window_length), max(t.from_utc)) as filled_to_utc
    from (
      select
        o.ordinality as request_no, o.canonical_symbol, o.timeframe, o.source_timeframe, o.window_length,
        o.from_utc, o.to_utc, o.frontier_utc, o.clock_utc, o.max_windows, o.is_rebuild,
        null::timestamptz as ts_utc, null::smallint as quality_score, null::text as change
      from unnest(p_requests) with ordinality as o
      where o.source_timeframe is not null
      union all
      select
        w.request_no, null, null, null, null, null, null, null, null, null, null,
        case when w.change is distinct from 'remove' then w.ts_utc end,
        case when w.change is distinct from 'remove' then w.quality_score end,
        w.change
      from window_bar as w
    ) as t
    group by t.request_no
  )
  select
    t.canonical_symbol, t.timeframe, t.window_length, t.from_utc, t.to_utc, t.frontier_utc,
    t.windows, t.bars, t.bars_poor, t.inserted, t.updated, t.removed,
    t.is_full and e.decided_to_utc < t.to_utc, e.decided_to_utc, t.is_rebuild, null::text, null::text
  from tally as t
  cross join lateral (
    select case
      when t.is_full or t.filled_to_utc = t.to_utc then t.filled_to_utc
      when t.clock_utc is null then t.to_utc
      -- One probe: the last source bar makes the empty windows before it a gap.
      else least(t.to_utc, coalesce((
        select date_bin(t.window_length, c.ts_utc, timestamptz '2000-01-01 00:00:00+00') + t.window_length
        from agg.source_bar as c
        where c.canonical_symbol = t.canonical_symbol and c.timeframe = t.source_timeframe
          and c.ts_utc >= t.filled_to_utc and c.ts_utc < t.clock_utc and c.deleted_at is null
        order by c.ts_utc desc
        limit 1
      ), t.filled_to_utc))
    end
    offset 0
  ) as e (decided_to_utc);
end;
$$;
