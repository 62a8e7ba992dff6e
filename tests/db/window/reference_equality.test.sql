begin;
select plan(5);

call tests.add_asset('ACME');

-- Prices and volumes are exact in binary, so that sums do not depend on their order. A third of the minutes is missing,
-- and so is some of every optional part.
select setseed(0.25);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
select
  'ACME', m.ts_utc, m.open, greatest(m.open, m.close) + m.wick, least(m.open, m.close) - m.wick, m.close,
  case when m.dice < 0.2 then null when m.dice < 0.4 then 0 else floor(m.dice * 1000) end,
  case when m.coin < 0.7 then m.open end,
  case when m.coin > 0.1 then floor(m.coin * 50) end
from (
  select
    g.ts_utc, floor(random() * 400) / 4 + 50 as open, floor(random() * 400) / 4 + 50 as close, floor(random() * 8) / 4 as wick,
    random() as dice, random() as coin, random() as presence
  from generate_series(
    timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-07 23:59+00', interval '1 minute'
  ) as g (ts_utc)
) as m
where m.presence < 0.5 + 0.5 * (extract(hour from m.ts_utc at time zone 'UTC')::integer % 4) / 3
order by m.coin;

call tests.run('2025-07-08 01:00+00');

-- Written from the rules and kept apart from the engine: epoch arithmetic, ordered arrays, joins.
create temporary table expected_5m as
select
  to_timestamp(floor(extract(epoch from b.ts_utc) / 300) * 300) as ts_utc,
  (array_agg(b.open order by b.ts_utc))[1] as open,
  max(b.high) as high,
  min(b.low) as low,
  (array_agg(b.close order by b.ts_utc desc))[1] as close,
  sum(b.vol) as vol,
  sum(case when b.vol > 0 then b.vwap * b.vol end)
    / nullif(sum(case when b.vwap is not null and b.vol > 0 then b.vol end), 0) as vwap,
  sum(b.trade_count)::bigint as trade_count,
  count(*)::integer as source_candles,
  count(*)::integer as covered_minutes,
  case count(*) when 5 then 2 when 4 then 1 when 3 then 0 end as quality_score
from public.data_bars as b
where b.canonical_symbol = 'ACME'
group by 1;

create temporary table expected_1h as
select
  date_trunc('hour', b.ts_utc at time zone 'UTC') at time zone 'UTC' as ts_utc,
  (array_agg(b.open order by b.ts_utc))[1] as open,
  max(b.high) as high,
  min(b.low) as low,
  (array_agg(b.close order by b.ts_utc desc))[1] as close,
  sum(b.vol) as vol,
  sum(case when b.vol > 0 then b.vwap * b.vol end)
    / nullif(sum(case when b.vwap is not null and b.vol > 0 then b.vol end), 0) as vwap,
  sum(b.trade_count)::bigint as trade_count,
  -- Five-minute windows with three minutes and more are bars.
  (
    select count(*)::integer from expected_5m as e
    where e.quality_score is not null and date_trunc('hour', e.ts_utc) = date_trunc('hour', min(b.ts_utc))
  ) as source_candles,
  count(*)::integer as covered_minutes,
  case when count(*) = 60 then 2 when count(*) >= 48 then 1 when count(*) >= 36 then 0 end as quality_score
from public.data_bars as b
where b.canonical_symbol = 'ACME'
group by 1;

select results_eq(
  $$
    select d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
      d.source_candles, d.covered_minutes, d.quality_score::integer
    from public.derived_data_bars as d
    where d.canonical_symbol = 'ACME' and d.timeframe = '5m'
    order by d.ts_utc
  $$,
  'select e.* from expected_5m as e order by e.ts_utc',
  'build_windows() makes 5m bars as an independent aggregation of a week of 1m bars with missing parts does'
);
select results_eq(
  $$
    select d.ts_utc, d.open, d.high, d.low, d.close, d.vol, round(d.vwap::numeric, 9), d.trade_count,
      d.source_candles, d.covered_minutes, d.quality_score::integer
    from public.derived_data_bars as d
    where d.canonical_symbol = 'ACME' and d.timeframe = '1h'
    order by d.ts_utc
  $$,
  $$
    select e.ts_utc, e.open, e.high, e.low, e.close, e.vol, round(e.vwap::numeric, 9), e.trade_count,
      e.source_candles, e.covered_minutes, e.quality_score
    from expected_1h as e
    order by e.ts_utc
  $$,
  'build_windows() makes 1h bars as an independent aggregation of the minutes does'
);
select is_empty(
  $$
    select d.timeframe, d.ts_utc
    from public.derived_data_bars as d
    where mod(extract(epoch from d.ts_utc), case d.timeframe when '5m' then 300 else 3600 end) <> 0
  $$,
  'build_windows() stamps every bar with the aligned start of its window'
);
select is_empty(
  $$
    select d.timeframe, d.ts_utc
    from public.derived_data_bars as d
    where case d.timeframe
      when '5m' then (d.source_timeframe, d.expected_candles, d.expected_minutes) is distinct from ('1m'::text, 5, 5)
      else (d.source_timeframe, d.expected_candles, d.expected_minutes) is distinct from ('5m'::text, 12, 60)
    end
  $$,
  'build_windows() stores the source timeframe of every bar and what a full window holds'
);
select cmp_ok(
  (select count(distinct (d.timeframe, d.quality_score, d.vol is null, d.vwap is null)) from public.derived_data_bars as d),
  '>=', 9::bigint,
  'the history holds every quality with and without volume and vwap, so that the comparisons mean something'
);

select * from finish();
rollback;
