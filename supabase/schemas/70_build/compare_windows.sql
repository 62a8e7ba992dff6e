comment on function agg.compare_windows is
'The one rule that turns source bars into bars, for requests of any number of tasks and windows, in one statement.
Returns each window that has source bars, with the bar that it makes and how that differs from what is stored, and each stored bar that has no source any more. Writes nothing.';

-- First open, highest high, lowest low, last close, sums; vwap = sum(vwap * vol) / sum(vol) over the source bars that have
-- both. Quality is coverage: the minutes that went in against those in which the session is open.
create function agg.compare_windows(p_requests agg.build_request[])
returns setof agg.window_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access here is a range of a key for each request, read in key order. Statistics of a table that has just been
-- loaded, or a plan cached before, must not turn one into a scan or a sort of the table.
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
  with build as (
    select
      o.*,
      (extract(epoch from o.window_length) / 60)::integer as window_minutes,
      (extract(epoch from o.source_length) / 60)::integer as source_minutes,
      exists (
        select from public.derived_data_bars as d
        where d.canonical_symbol = o.canonical_symbol and d.timeframe = o.timeframe
          and d.ts_utc >= o.from_utc and d.ts_utc < o.to_utc
      ) as has_bars
    from unnest(p_requests) with ordinality as o
    where o.source_timeframe is not null
  ),
  window_bar as materialized (
    select
      b.ordinality as request_no, b.canonical_symbol, b.timeframe, b.source_timeframe, b.window_length,
      b.derivation_version, b.has_bars,
      w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
      w.source_candles, e.expected_candles,
      w.covered_minutes, e.expected_minutes, w.is_partial,
      case
        when e.expected_minutes = 0 then null
        when w.covered_minutes >= e.expected_minutes then 2
        when w.covered_minutes * 100 >= e.expected_minutes * b.good_percent then 1
        when w.covered_minutes * 100 >= e.expected_minutes * b.poor_percent then 0
      end as quality_score,
      case when b.has_bars then (
        select d from public.derived_data_bars as d
        where d.canonical_symbol = b.canonical_symbol and d.timeframe = b.timeframe and d.ts_utc = w.ts_utc
      ) end as stored
    from build as b
    cross join lateral (
      select g.*
      from (
        select
          s.window_start as ts_utc,
          -- Arrays compare by their first element first: the price that goes with the first and with the last ts_utc.
          (min(array[s.epoch, s.open]))[2] as open,
          max(s.high) as high,
          min(s.low) as low,
          (max(array[s.epoch, s.close]))[2] as close,
          sum(s.vol) as vol,
          sum(s.vwap * s.vwap_vol) / sum(s.vwap_vol) as vwap,
          sum(s.trade_count)::bigint as trade_count,
          count(*)::integer as source_candles,
          sum(s.covered_minutes)::integer as covered_minutes,
          bool_or(s.is_partial) as is_partial
        from (
          select
            date_bin(b.window_length, f.ts_utc, timestamptz '2000-01-01 00:00:00+00') as window_start,
            date_part('epoch', f.ts_utc) as epoch,
            case when f.vol > 0 and f.vwap is not null then f.vol end as vwap_vol,
            f.*
          from (
            select c.*
            from agg.source_bar as c
            where c.canonical_symbol = b.canonical_symbol and c.timeframe = b.source_timeframe
              and c.ts_utc >= b.from_utc and c.ts_utc < b.to_utc and c.deleted_at is null
              -- A minute outside the trading session is not part of a session bar; longer sources hold none.
              and (
                b.session_minutes is null or b.source_minutes > 1
                or b.session_minutes @> agg.minute_of_week(c.ts_utc, b.session_time_zone)
              )
            order by c.ts_utc
            -- No window holds more source bars than this, so the first max_windows windows are complete.
            limit b.max_windows::bigint * b.window_minutes / b.source_minutes
          ) as f
          -- Sums of floats depend on the order: with this one a bar built again is the same to the last bit.
          order by f.ts_utc
        ) as s
        group by s.window_start
        offset 0
      ) as g
      order by g.ts_utc
      limit b.max_windows
    ) as w
    cross join lateral (
      select b.window_minutes, b.window_minutes / b.source_minutes
      where b.session_minutes is null
      union all
      select sum(o.minutes)::integer, count(*) filter (where o.minutes > 0)::integer
      from generate_series(0, b.window_minutes - 1, b.source_minutes) as i (minute)
      cross join lateral agg.open_minutes(
        w.ts_utc + make_interval(mins => i.minute), b.source_minutes, b.session_time_zone, b.session_minutes
      ) as o (minutes)
      where b.session_minutes is not null
      having b.session_minutes is not null
    ) as e (expected_minutes, expected_candles)
  ),
  -- Grouped rather than joined: linear whatever the planner assumes about the number of requests.
  replaced as (
    select
      e.request_no,
      max(e.canonical_symbol) as canonical_symbol,
      max(e.timeframe) as timeframe,
      max(e.from_utc) as from_utc,
      case when count(e.ts_utc) >= max(e.max_windows) then max(e.ts_utc) + max(e.window_length) else max(e.to_utc) end as to_utc,
      range_agg(tstzrange(e.ts_utc, e.ts_utc + e.window_length)) filter (where e.quality_score is not null) as kept
    from (
      select
        b.ordinality as request_no, b.canonical_symbol, b.timeframe, b.from_utc, b.to_utc, b.max_windows,
        b.window_length, null::timestamptz as ts_utc, null::integer as quality_score
      from build as b
      where b.has_bars
      union all
      select w.request_no, null, null, null, null, null, w.window_length, w.ts_utc, w.quality_score
      from window_bar as w
      where w.has_bars
    ) as e
    group by e.request_no
  )
  select
    w.request_no, w.canonical_symbol, w.timeframe, w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
    w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
    w.quality_score::smallint, coalesce(w.derivation_version, (w.stored).derivation_version, 1), w.is_partial,
    case
      when w.quality_score is null then null
      when (w.stored).ts_utc is null then 'insert'
      when (
        (w.stored).open, (w.stored).high, (w.stored).low, (w.stored).close,
        (w.stored).vol, (w.stored).vwap, (w.stored).trade_count,
        (w.stored).source_timeframe, (w.stored).source_candles, (w.stored).expected_candles,
        (w.stored).covered_minutes, (w.stored).expected_minutes,
        (w.stored).quality_score, (w.stored).derivation_version, (w.stored).is_partial, (w.stored).deleted_at
      ) is distinct from (
        w.open, w.high, w.low, w.close, w.vol, w.vwap, w.trade_count,
        w.source_timeframe, w.source_candles, w.expected_candles, w.covered_minutes, w.expected_minutes,
        w.quality_score, coalesce(w.derivation_version, (w.stored).derivation_version, 1), w.is_partial, null::timestamptz
      ) then 'update'
    end
  from window_bar as w
  union all
  select
    r.request_no, l.canonical_symbol, l.timeframe, l.ts_utc, l.open, l.high, l.low, l.close, l.vol, l.vwap, l.trade_count,
    l.source_timeframe, l.source_candles, l.expected_candles, l.covered_minutes, l.expected_minutes,
    l.quality_score, l.derivation_version, l.is_partial, 'remove'
  from replaced as r
  cross join lateral (
    select d.*
    from public.derived_data_bars as d
    where d.canonical_symbol = r.canonical_symbol and d.timeframe = r.timeframe
      and d.ts_utc >= r.from_utc and d.ts_utc < r.to_utc and d.deleted_at is null
    offset 0
  ) as l
  where not coalesce(r.kept @> l.ts_utc, false);
end;
$$;
