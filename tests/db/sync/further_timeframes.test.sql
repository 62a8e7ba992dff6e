begin;
select plan(9);

-- Each is one row and nothing else.
insert into agg.timeframe (timeframe, duration, source_timeframe, is_mandatory) values
  ('10m', interval '10 minutes', '5m', false), ('2h', interval '2 hours', '1h', true), ('8h', interval '8 hours', '1h', false);
call tests.clear();
call tests.add_asset('ACME', '{"optional": ["10m", "8h"]}');
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
    where d.timeframe not in ('5m', '1h') and d.deleted_at is null
    group by 1, 2, 3, 4
    order by 4
  $$,
  $$
    values
      ('10m', '5m', 2, 10, timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-03 23:50+00'),
      ('2h', '1h', 2, 120, '2025-07-01 00:00+00', '2025-07-03 22:00+00'),
      ('8h', '1h', 8, 480, '2025-07-01 00:00+00', '2025-07-03 16:00+00')
  $$,
  'agg.run_batch() builds timeframes that are only rows of agg.timeframe'
);
select results_eq(
  $$
    select d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.covered_minutes
    from public.derived_data_bars as d
    where d.timeframe not in ('5m', '1h') and d.deleted_at is null
    order by d.timeframe, d.ts_utc
  $$,
  $$
    select
      t.timeframe, to_timestamp(floor(extract(epoch from b.ts_utc) / t.seconds) * t.seconds),
      (array_agg(b.open order by b.ts_utc))[1], max(b.high), min(b.low), (array_agg(b.close order by b.ts_utc desc))[1],
      sum(b.vol), count(*)::integer
    from (values ('10m', 600), ('2h', 7200), ('8h', 28800)) as t (timeframe, seconds)
    cross join public.data_bars as b
    where b.ts_utc < '2025-07-04 00:00+00'
    group by t.timeframe, t.seconds, 2
    having count(*) * 60 >= t.seconds * 0.6
    order by 1, 2
  $$,
  'agg.run_batch() builds them as an independent aggregation of the minutes does'
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
      ('5m', '1m', timestamptz '2025-07-04 00:00+00'), ('10m', '5m', '2025-07-03 23:50+00'), ('1h', '5m', '2025-07-03 23:00+00'),
      ('2h', '1h', '2025-07-03 22:00+00'), ('8h', '1h', '2025-07-03 16:00+00')
  $$,
  'agg.run_batch() runs every level as far as its source allows'
);
select is(
  public.catchup_aggregation_range('ACME', '10m', '2025-06-30 23:50+00', 1000, '2025-07-04 02:00+00') ->> 'bars_written', '0',
  'catchup_aggregation_range() builds a further timeframe again without writing'
);
select is_empty('select v.* from public.agg_verify(p_timeframe => ''2h'') as v', 'agg_verify() compares a further timeframe');
select is(
  public.aggregate_window('ACME', '8h', '2025-07-02 08:00+00', p_now => '2025-07-04 02:00+00') - 'source_count',
  '{"success": true, "stored": true, "quality_score": 1}', 'aggregate_window() builds one of its windows'
);

-- Four hours without a minute, and a minute that changes.
delete from public.data_bars as b where b.ts_utc >= '2025-07-02 02:00+00' and b.ts_utc < '2025-07-02 06:00+00';
update public.data_bars as b set high = 1000 where b.ts_utc = (select min(c.ts_utc) from public.data_bars as c);
call tests.run('2025-07-04 02:00+00');
select results_eq(
  $$ select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 1000 order by 1 $$,
  $$
    values
      ('10m', timestamptz '2025-07-01 00:00+00'), ('1h', '2025-07-01 00:00+00'), ('2h', '2025-07-01 00:00+00'),
      ('5m', '2025-07-01 00:00+00'), ('8h', '2025-07-01 00:00+00')
  $$,
  'a correction reaches it'
);
select results_eq(
  $$
    select t.timeframe, g.gap_from_utc, g.gap_to_utc, g.windows
    from unnest(array['10m', '2h', '8h']) as t (timeframe)
    cross join lateral public.agg_gaps('ACME', t.timeframe) as g
  $$,
  $$
    values
      ('10m', timestamptz '2025-07-02 02:00+00', timestamptz '2025-07-02 06:00+00', 24::bigint),
      ('2h', '2025-07-02 02:00+00', '2025-07-02 06:00+00', 2)
  $$,
  'agg_gaps() lists its gaps'
);
select results_eq(
  $$ select h.timeframe, h.state from public.agg_health('2025-07-04 00:20+00') as h order by h.cursor_utc desc, 1 $$,
  $$ values ('5m', 'waiting_for_data'), ('10m', 'waiting_for_source'), ('1h', 'current'), ('2h', 'current'), ('8h', 'current') $$,
  'agg_health() says how it stands'
);

select * from finish();
rollback;
