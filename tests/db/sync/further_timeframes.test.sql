begin;
select plan(4);

insert into agg.timeframe (timeframe, duration, source_timeframe, is_mandatory) values
  ('15m', interval '15 minutes', '5m', false), ('4h', interval '4 hours', '1h', true), ('1d', interval '1 day', '1h', false);
call tests.add_asset('ACME', '{"optional": ["15m", "1d"]}');
select setseed(0.75);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', m.ts_utc, m.price, m.price + 1, m.price - 1, m.price + 0.5, m.n
from (
  select g.n, timestamptz '2025-07-01 00:00+00' + g.n * interval '1 minute' as ts_utc, floor(random() * 100) + 10 as price, random() as dice
  from generate_series(0, 3 * 1440) as g (n)
) as m
where m.dice < 0.9 or m.n = 3 * 1440;
call tests.run('2025-07-04 02:00+00');

select results_eq(
  $$
    select d.timeframe, d.source_timeframe, d.expected_candles, d.expected_minutes, min(d.ts_utc), max(d.ts_utc)
    from public.derived_data_bars as d
    where d.timeframe not in ('5m', '1h')
    group by 1, 2, 3, 4
    order by 4
  $$,
  $$
    values
      ('15m', '5m', 3, 15, timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-03 23:45+00'),
      ('4h', '1h', 4, 240, '2025-07-01 00:00+00', '2025-07-03 20:00+00'),
      ('1d', '1h', 24, 1440, '2025-07-01 00:00+00', '2025-07-03 00:00+00')
  $$,
  'agg.run_batch() builds timeframes that are only rows of agg.timeframe'
);
select results_eq(
  $$
    select d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.covered_minutes, d.source_candles
    from public.derived_data_bars as d
    where d.timeframe not in ('5m', '1h')
    order by d.timeframe, d.ts_utc
  $$,
  $$
    select
      t.timeframe, to_timestamp(floor(extract(epoch from d.ts_utc) / t.seconds) * t.seconds),
      (array_agg(d.open order by d.ts_utc))[1], max(d.high), min(d.low), (array_agg(d.close order by d.ts_utc desc))[1],
      sum(d.vol), sum(d.covered_minutes)::integer, count(*)::integer
    from (values ('15m', 900, '5m'), ('4h', 14400, '1h'), ('1d', 86400, '1h')) as t (timeframe, seconds, source)
    join public.derived_data_bars as d on d.timeframe = t.source and d.ts_utc < '2025-07-04 00:00+00'
    group by t.timeframe, t.seconds, 2
    having sum(d.covered_minutes) * 60 >= t.seconds * 0.6
    order by 1, 2
  $$,
  'agg.run_batch() builds them as an independent aggregation of their source bars does'
);
select results_eq(
  $$
    select s.timeframe, s.source_timeframe, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    where s.canonical_symbol = 'ACME'
    order by s.run_interval_minutes
  $$,
  $$
    values
      ('5m', '1m', timestamptz '2025-07-04 00:00+00'), ('15m', '5m', '2025-07-03 23:45+00'), ('1h', '5m', '2025-07-03 23:00+00'),
      ('4h', '1h', '2025-07-03 20:00+00'), ('1d', '1h', '2025-07-03 00:00+00')
  $$,
  'agg.run_batch() runs every level as far as its source allows'
);
select is(
  public.catchup_aggregation_range('ACME', '15m', '2025-06-30 23:45+00', 1000, '2025-07-04 02:00+00') ->> 'bars_written', '0',
  'catchup_aggregation_range() builds a further timeframe again without writing'
);

select * from finish();
rollback;
