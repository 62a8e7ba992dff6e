comment on function agg.stored_windows is
'The stored rows of the windows that requests build again, as agg.window_bar: change says what becomes of a row whose window has no minutes. A bar without change is one of an older deployment (raw.migrated_from), which stays.
Where nothing has been built yet (is_rebuild of a request false) it looks for no row. Reads only.';

create function agg.stored_windows(p_requests agg.build_request[])
returns setof agg.window_bar
language plpgsql
stable
-- So few that a join hashes these, and not the windows that are built.
rows 10
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is a range of a key for each symbol, as in agg.make_windows.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set max_parallel_workers_per_gather = 0
set jit = off
as $$
begin
  return query
  select
    q.ordinality, d.canonical_symbol, d.timeframe, d.ts_utc,
    d.open, d.high, d.low, d.close, d.vol, d.vwap, d.vwap_vol, d.trade_count,
    d.source_timeframe, d.source_candles, d.expected_candles, d.covered_minutes, d.expected_minutes,
    d.quality_score, d.derivation_version, d.is_partial,
    case
      when d.deleted_at is not null then case when d.covered_minutes > 0 then 'remove' end
      when not d.raw ? 'migrated_from' then 'remove'
      -- A bar of another alignment.
      when d.ts_utc <> agg.window_start(d.ts_utc, q.window_length, q.window_time_zone, q.window_origin) then 'remove'
    end,
    d.deleted_at is null
  from unnest(p_requests) with ordinality as q
  cross join lateral unnest(q.symbols) as y (symbol)
  cross join lateral (
    select d.*
    from public.derived_data_bars as d
    where d.canonical_symbol = y.symbol and d.timeframe = q.timeframe and d.ts_utc >= q.from_utc and d.ts_utc < q.to_utc
    offset 0
  ) as d
  where q.is_rebuild and q.source_timeframe is not null;
end;
$$;
