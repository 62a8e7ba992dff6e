comment on function agg.insert_windows is
'Stores what agg.make_windows makes of windows for the first time. Returns, for each symbol with minutes: its windows, how many of them are bars, how many of these poor, and the start of the last one. No symbol may be in two requests.
Raises unique_violation where one of them is stored.';

create function agg.insert_windows(p_requests agg.build_request[])
returns table (canonical_symbol text, windows integer, bars integer, bars_poor integer, last_utc timestamptz)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.make_windows.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
set enable_hashagg = on
set max_parallel_workers_per_gather = 0
set jit = off
set work_mem = '32MB'
as $$
#variable_conflict use_column
declare
  -- Where symbols have many windows, to count them afterwards costs less than to keep and group what the insert returns.
  v_is_counted_later constant boolean := (
    select bool_and(q.to_utc > q.from_utc + 10 * q.window_length) from unnest(p_requests) as q where q.source_timeframe is not null
  );
begin
  return query
  with inserted as (
    insert into public.derived_data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, is_partial, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.vwap_vol, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, coalesce(w.derivation_version, 1), w.is_partial, case when w.quality_score is null then now() end
    from agg.make_windows(p_requests) as w
    returning d.canonical_symbol, d.ts_utc, d.quality_score
  )
  select
    w.canonical_symbol, count(*)::integer, count(w.quality_score)::integer, (count(*) filter (where w.quality_score = 0))::integer, max(w.ts_utc)
  from inserted as w
  where not v_is_counted_later
  group by w.canonical_symbol;

  if v_is_counted_later then
    return query
    select y.symbol, n.windows, n.bars, n.bars_poor, n.last_utc
    from unnest(p_requests) as q
    cross join lateral unnest(q.symbols) as y (symbol)
    cross join lateral (
      select
        count(*)::integer as windows, count(d.quality_score)::integer as bars,
        (count(*) filter (where d.quality_score = 0))::integer as bars_poor, max(d.ts_utc) as last_utc
      from public.derived_data_bars as d
      where d.canonical_symbol = y.symbol and d.timeframe = q.timeframe and d.ts_utc >= q.from_utc and d.ts_utc < q.to_utc
        -- Rows that others have written may lie between them.
        and d.created_at = now()
      offset 0
    ) as n
    where q.source_timeframe is not null and n.windows > 0;
  end if;
end;
$$;
