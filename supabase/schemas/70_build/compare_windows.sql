comment on function agg.compare_windows is
'How what agg.make_windows makes differs from what is stored.
Returns each window that has minutes, with the bar that they make, and each stored row whose window has no minutes any more. Reads only.
A bar of an older deployment (raw.migrated_from) differs once its window has minutes enough for a bar, and never for want of them.';

create function agg.compare_windows(p_requests agg.build_request[])
returns setof agg.window_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_nestloop = off
set enable_hashjoin = on
set enable_mergejoin = off
set jit = off
set work_mem = '32MB'
as $$
begin
  return query
  select
    coalesce(j.request_no, d.request_no), coalesce(j.canonical_symbol, d.canonical_symbol), coalesce(j.timeframe, d.timeframe),
    coalesce(j.ts_utc, d.ts_utc),
    coalesce(j.open, d.open), coalesce(j.high, d.high), coalesce(j.low, d.low), coalesce(j.close, d.close),
    case when j.ts_utc is not null then j.vol else d.vol end,
    case when j.ts_utc is not null then j.vwap else d.vwap end,
    case when j.ts_utc is not null then j.vwap_vol else d.vwap_vol end,
    case when j.ts_utc is not null then j.trade_count else d.trade_count end,
    coalesce(j.source_timeframe, d.source_timeframe), coalesce(j.source_candles, d.source_candles),
    coalesce(j.expected_candles, d.expected_candles), coalesce(j.covered_minutes, 0), coalesce(j.expected_minutes, d.expected_minutes),
    case when j.ts_utc is not null then j.quality_score else d.quality_score end,
    coalesce(j.derivation_version, d.derivation_version, 1), coalesce(j.is_partial, d.is_partial),
    case
      when d.ts_utc is null then 'insert'
      when j.ts_utc is null then d.change
      -- A bar of an older deployment stays until its window qualifies, and is one of pgbars from then on.
      when d.was_bar and d.change is null then case when j.quality_score is not null then 'update' end
      when (
        d.open, d.high, d.low, d.close, d.vol, d.vwap, d.vwap_vol, d.trade_count,
        d.source_timeframe, d.source_candles, d.expected_candles, d.covered_minutes, d.expected_minutes,
        d.quality_score, d.derivation_version, d.is_partial, d.was_bar
      ) is distinct from (
        j.open, j.high, j.low, j.close, j.vol, j.vwap, j.vwap_vol, j.trade_count,
        j.source_timeframe, j.source_candles, j.expected_candles, j.covered_minutes, j.expected_minutes,
        j.quality_score, coalesce(j.derivation_version, d.derivation_version, 1), j.is_partial, j.quality_score is not null
      ) then 'update'
    end,
    coalesce(d.was_bar, false)
  from agg.make_windows(p_requests) as j
  full join agg.stored_windows(p_requests) as d
    on d.request_no = j.request_no and d.canonical_symbol = j.canonical_symbol and d.ts_utc = j.ts_utc
  where j.ts_utc is not null or d.change is not null;
end;
$$;
