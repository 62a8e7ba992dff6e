-- The least that anybody could do for the same rows: no cursor, no frontier, no gap, no change-only writing.
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count,
  source_timeframe, source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
)
select
  b.canonical_symbol, '5m', date_bin(interval '5 minutes', b.ts_utc, timestamptz '2000-01-01 00:00:00+00'),
  (array_agg(b.open order by b.ts_utc))[1], max(b.high), min(b.low), (array_agg(b.close order by b.ts_utc desc))[1],
  sum(b.vol),
  sum(b.vwap * b.vol) filter (where b.vol > 0 and b.vwap is not null)
    / sum(b.vol) filter (where b.vol > 0 and b.vwap is not null),
  sum(b.trade_count),
  '1m', count(*), 5, count(*), 5,
  case when count(*) >= 5 then 2 when count(*) = 4 then 1 else 0 end
from public.data_bars as b
where b.timeframe = '1m' and b.ts_utc >= $1 and b.ts_utc < $2
group by 1, 3
having count(*) >= 3;
