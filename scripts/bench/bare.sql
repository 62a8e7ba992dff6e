-- The least that could store the same rows in the same table: no cursor, no frontier, no gap, no change-only writing. Each symbol
-- is read by key in order, so that neither its first nor its last price needs a sort. A floor only: nothing promises the order
-- inside such an aggregate.
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, vwap_vol, trade_count,
  source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
)
select
  s.canonical_symbol, '5m', w.ts_utc, w.open, w.high, w.low, w.close, w.vol, w.vwap_sum / w.vwap_vol, w.vwap_vol, w.trade_count,
  '1m', w.minutes, 5, w.minutes, 5, case when w.minutes >= 5 then 2 when w.minutes = 4 then 1 else 0 end
from public.core_asset_registry_all as s
cross join lateral (
  select
    b.window_start as ts_utc,
    (array_agg(b.open))[1] as open, max(b.high) as high, min(b.low) as low, (array_agg(b.close))[count(*)] as close,
    sum(b.vol) as vol,
    sum(b.vwap * b.vol) filter (where b.vol > 0 and b.vwap is not null) as vwap_sum,
    sum(b.vol) filter (where b.vol > 0 and b.vwap is not null) as vwap_vol,
    sum(b.trade_count) as trade_count, count(*) as minutes
  from (
    select
      date_bin(interval '5 minutes', d.ts_utc, timestamptz '2000-01-01 00:00:00+00') as window_start,
      d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count
    from public.data_bars as d
    where d.canonical_symbol = s.canonical_symbol and d.timeframe = '1m' and d.ts_utc >= $1 and d.ts_utc < $2
    order by d.canonical_symbol, d.timeframe, d.ts_utc
  ) as b
  group by 1
  having count(*) >= 3
) as w
where s.active;
