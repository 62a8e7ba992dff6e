begin;
select plan(9);

-- Prices and volumes are exact in binary. Days differ in how many minutes they have, and every optional part is missing now and then.
call tests.clear();
call tests.add_asset('ACME', '{"start_utc": "2025-06-30T00:00:00Z", "optional": ["15m", "30m", "4h", "1d", "1w"]}');
select setseed(0.125);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial)
select
  'ACME', m.ts_utc, m.open, greatest(m.open, m.close) + m.wick, least(m.open, m.close) - m.wick, m.close,
  case when m.dice < 0.2 then null when m.dice < 0.4 then 0 else floor(m.dice * 1000) end,
  case when m.coin < 0.7 then m.open end,
  case when m.coin > 0.1 then floor(m.coin * 50) end,
  m.coin < 0.002
from (
  select
    g.ts_utc, floor(random() * 400) / 4 + 50 as open, floor(random() * 400) / 4 + 50 as close, floor(random() * 8) / 4 as wick,
    random() as dice, random() as coin, random() as presence
  from generate_series(timestamptz '2025-06-30 00:00+00', timestamptz '2025-07-14 05:59+00', interval '1 minute') as g (ts_utc)
) as m
where m.presence < (array[1, 0.95, 0.85, 0.9, 0.3, 0.02])[1 + extract(doy from m.ts_utc at time zone 'UTC')::integer % 6]
  and not (m.ts_utc >= '2025-07-03 02:00+00' and m.ts_utc < '2025-07-03 14:00+00');
call tests.run('2025-07-14 06:30+00');

-- Written from the rules and kept apart from the engine.
create temporary table expected as
select
  t.timeframe, to_timestamp(floor((extract(epoch from b.ts_utc) - 345600) / t.seconds) * t.seconds + 345600) as ts_utc,
  (array_agg(b.open order by b.ts_utc))[1] as open,
  max(b.high) as high,
  min(b.low) as low,
  (array_agg(b.close order by b.ts_utc desc))[1] as close,
  sum(b.vol) as vol,
  round((
    sum(b.vwap * b.vol) filter (where b.vol > 0 and b.vwap is not null) / sum(b.vol) filter (where b.vol > 0 and b.vwap is not null)
  )::numeric, 9) as vwap,
  sum(b.vol) filter (where b.vol > 0 and b.vwap is not null) as vwap_vol,
  sum(b.trade_count)::bigint as trade_count,
  bool_or(b.is_partial) as is_partial,
  count(*)::integer as covered_minutes,
  t.seconds / 60 as expected_minutes,
  case
    when count(*) * 60 = t.seconds then 2 when count(*) * 60 >= 0.8 * t.seconds then 1 when count(*) * 60 >= 0.6 * t.seconds then 0
  end as quality
from (
  values ('5m', 300), ('15m', 900), ('30m', 1800), ('1h', 3600), ('4h', 14400), ('1d', 86400), ('1w', 604800)
) as t (timeframe, seconds)
cross join public.data_bars as b
group by t.timeframe, t.seconds, 2
-- What is decided: five minutes after the end of each window, at most.
having to_timestamp(floor((extract(epoch from min(b.ts_utc)) - 345600) / t.seconds) * t.seconds + 345600 + t.seconds) <= '2025-07-14 06:00+00';

create function pg_temp.stored() returns setof expected
language sql as $$
  select
    d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, round(d.vwap::numeric, 9), d.vwap_vol, d.trade_count, d.is_partial,
    d.covered_minutes, d.expected_minutes, d.quality_score::integer
  from public.derived_data_bars as d
$$;

select bag_eq('select s.* from pg_temp.stored() as s', 'select e.* from expected as e', 'every bar of every timeframe equals what its minutes say');
select results_eq(
  $$
    select e.timeframe, count(*) filter (where e.quality is null) > 0
    from expected as e
    group by 1
    having count(*) filter (where e.quality is not null) > 0
    order by 1
  $$,
  $$ values ('15m', true), ('1d', true), ('1h', true), ('1w', false), ('30m', true), ('4h', true), ('5m', true) $$,
  'every timeframe has bars, and all but weeks have windows with too few minutes'
);
select is_empty(
  $$ select d.timeframe, d.ts_utc from public.derived_data_bars as d where (d.deleted_at is null) <> (d.quality_score is not null) $$,
  'a bar is what has a quality'
);
select is_empty(
  $$
    select d.timeframe, d.ts_utc
    from public.derived_data_bars as d
    cross join lateral (
      select count(*) as candles
      from public.derived_data_bars as s
      join agg.timeframe as t on t.timeframe = d.timeframe
      where s.canonical_symbol = 'ACME' and s.timeframe = t.source_timeframe and s.ts_utc >= d.ts_utc and s.ts_utc < d.ts_utc + t.duration and s.deleted_at is null
    ) as s
    where d.timeframe <> '5m' and d.source_candles <> s.candles
  $$,
  'source_candles counts the bars of the source'
);
select results_eq(
  $$
    select distinct d.timeframe, d.source_timeframe, d.expected_candles
    from public.derived_data_bars as d
    order by 1
  $$,
  $$
    values ('15m', '5m', 3), ('1d', '1h', 24), ('1h', '5m', 12), ('1w', '1h', 168), ('30m', '5m', 6), ('4h', '1h', 4), ('5m', '1m', 5)
  $$,
  'each is built from the longest timeframe that every asset has and whose windows nest'
);

-- Changed minutes, in one and in many windows.
update public.data_bars as b set high = 777, vol = 5, vwap = 60 where b.ts_utc in ('2025-07-01 00:00+00', '2025-07-05 00:01+00', '2025-07-10 23:59+00');
delete from public.data_bars as b where b.ts_utc >= '2025-07-08 00:00+00' and b.ts_utc < '2025-07-09 03:00+00' and extract(minute from b.ts_utc) > 1;
call tests.run('2025-07-14 06:30+00');
select is_empty('select v.* from public.agg_verify() as v', 'after corrections every level equals what is below it');
select is_empty(
  $$
    select d.timeframe, d.ts_utc
    from public.derived_data_bars as d
    join agg.timeframe as t on t.timeframe = d.timeframe
    cross join lateral (
      select count(*)::integer as minutes, sum(b.vol) as vol, max(b.high) as high
      from public.data_bars as b
      where b.canonical_symbol = 'ACME' and b.timeframe = '1m' and b.ts_utc >= d.ts_utc and b.ts_utc < d.ts_utc + t.duration
    ) as m
    where d.covered_minutes > 0 and (d.covered_minutes, d.vol, d.high) is distinct from (m.minutes, m.vol, m.high)
  $$,
  'and what its minutes say'
);

-- Off and on again: its bars stay, and catch up with what changed meanwhile.
call tests.set_metadata('ACME', '{agg,optional}', '["30m", "4h", "1d", "1w"]');
update public.data_bars as b set high = 888 where b.ts_utc = (select min(c.ts_utc) from public.data_bars as c);
call tests.run('2025-07-14 06:30+00');
select results_eq(
  $$
    select t.timeframe, s.enabled, max(d.high) = 888, count(*) > 0
    from unnest(array['15m', '30m']) as t (timeframe)
    join public.data_agg_state as s on s.timeframe = t.timeframe
    join public.derived_data_bars as d on d.timeframe = t.timeframe
    group by 1, 2
    order by 1
  $$,
  $$ values ('15m', false, false, true), ('30m', true, true, true) $$,
  'the bars of a timeframe that is switched off are kept as they are'
);
call tests.set_metadata('ACME', '{agg,optional}', '["15m", "30m", "4h", "1d", "1w"]');
call tests.run('2025-07-14 06:30+00');
select is_empty('select v.* from public.agg_verify() as v', 'switched on again they follow what changed meanwhile');

select * from finish();
rollback;
