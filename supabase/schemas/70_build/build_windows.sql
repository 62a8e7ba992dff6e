comment on function agg.build_windows is
'Stores what agg.compare_windows finds: writes only what differs, and soft-deletes bars of decided windows that no longer qualify. Returns a result for each request with a source_timeframe.
Requests of one task must not overlap, and the caller has locked its row: two builders of one window would meet in a unique_violation.';

create function agg.build_windows(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.compare_windows, but for the one join of two sets, which is hashed.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_nestloop = off
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
      quality_score, derivation_version, is_partial
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version, w.is_partial
    from window_bar as w
    where w.change = 'insert'
  ),
  -- Conflicts rather than joins: an update that joins may put the table first when it is thought to be empty.
  changed as (
    insert into public.derived_data_bars as d (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count,
      source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes,
      quality_score, derivation_version, is_partial, deleted_at
    )
    select
      w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
      w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
      w.quality_score, w.derivation_version, w.is_partial, case w.change when 'remove' then now() end
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
      is_partial = excluded.is_partial,
      deleted_at = excluded.deleted_at,
      updated_at = now()
  ),
  tally as (
    select
      w.request_no,
      count(*) filter (where w.change is distinct from 'remove')::integer as windows,
      count(w.quality_score) filter (where w.change is distinct from 'remove')::integer as bars,
      count(*) filter (where w.quality_score = 0 and w.change is distinct from 'remove')::integer as bars_poor,
      count(*) filter (where w.change = 'insert')::integer as inserted,
      count(*) filter (where w.change = 'update')::integer as updated,
      count(*) filter (where w.change = 'remove')::integer as removed,
      max(w.ts_utc) filter (where w.change is distinct from 'remove') as last_ts_utc
    from window_bar as w
    group by w.request_no
  ),
  built as (
    select
      q.*,
      coalesce(n.windows, 0) as windows, coalesce(n.bars, 0) as bars, coalesce(n.bars_poor, 0) as bars_poor,
      coalesce(n.inserted, 0) as inserted, coalesce(n.updated, 0) as updated, coalesce(n.removed, 0) as removed,
      coalesce(n.windows >= q.max_windows, false) as is_full,
      coalesce(n.last_ts_utc + q.window_length, q.from_utc) as filled_to_utc
    from unnest(p_requests) with ordinality as q
    left join tally as n on n.request_no = q.ordinality
    where q.source_timeframe is not null
  )
  select
    t.canonical_symbol, t.timeframe, t.window_length, t.from_utc, t.to_utc,
    t.windows, t.bars, t.bars_poor, t.inserted, t.updated, t.removed, e.decided_to_utc,
    agg.stopped_reason(t.from_utc, t.window_length, t.frontier_utc, t.is_full and e.decided_to_utc < t.to_utc, e.decided_to_utc),
    t.is_rebuild, null::tstzmultirange, null::text, null::text
  from built as t
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
