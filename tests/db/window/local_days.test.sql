begin;
select plan(7);

-- Days on clocks that are no whole hours from UTC, and one that changes by half an hour.
call tests.clear();
call tests.add_asset('ISLAND', '{"start_utc": "2026-04-03T13:00:00Z", "optional": ["4h", "1d"], "day_close": {"time": "00:00", "time_zone": "Australia/Lord_Howe"}}');
call tests.add_asset('NIFTY', '{"start_utc": "2026-04-03T18:30:00Z", "optional": ["4h", "1d"], "day_close": {"time": "00:00", "time_zone": "Asia/Kolkata"}}');
call tests.add_asset('FX', '{"start_utc": "2026-03-06T22:00:00Z", "optional": ["4h", "1d"], "day_close": {"time": "17:00", "time_zone": "America/New_York"}}');
-- Every minute has a price of its own, and volume and vwap now and then.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
select
  s.symbol, m.ts_utc, p.price, p.price + 1, p.price - 1, p.price + 0.5,
  case when p.n % 3 > 0 then p.n % 7 end, case when p.n % 5 > 0 then p.price end, p.n % 11
from (
  values
    ('ISLAND', timestamptz '2026-04-03 13:00+00', timestamptz '2026-04-06 14:00+00'), ('NIFTY', '2026-04-03 18:30+00', '2026-04-06 19:00+00'),
    ('FX', '2026-03-06 22:00+00', '2026-03-09 22:00+00')
) as s (symbol, from_utc, to_utc)
cross join lateral generate_series(s.from_utc, s.to_utc, interval '1 minute') as m (ts_utc)
cross join lateral (select (extract(epoch from m.ts_utc) / 60)::bigint) as k (n)
cross join lateral (select k.n, 1000 + (k.n * 7919) % 4001) as p (n, price)
-- Some five-minute windows have one or two minutes, or none.
where (k.n / 5) % 9 > 1 or k.n % 5 = (k.n / 5) % 4;
call tests.run('2026-03-10 00:00+00');
call tests.run('2026-04-06 20:00+00');

-- The boundaries of the days are those of the IANA time zones, written down.
create temporary table day (symbol text, ts_utc timestamptz, ends_utc timestamptz);
insert into day (symbol, ts_utc, ends_utc) values
  ('ISLAND', '2026-04-03 13:00+00', '2026-04-04 13:00+00'),
  ('ISLAND', '2026-04-04 13:00+00', '2026-04-05 13:30+00'),
  ('ISLAND', '2026-04-05 13:30+00', '2026-04-06 13:30+00'),
  ('NIFTY', '2026-04-03 18:30+00', '2026-04-04 18:30+00'),
  ('NIFTY', '2026-04-04 18:30+00', '2026-04-05 18:30+00'),
  ('NIFTY', '2026-04-05 18:30+00', '2026-04-06 18:30+00'),
  ('FX', '2026-03-06 22:00+00', '2026-03-07 22:00+00'),
  ('FX', '2026-03-07 22:00+00', '2026-03-08 21:00+00'),
  ('FX', '2026-03-08 21:00+00', '2026-03-09 21:00+00');
create temporary table four_hours (symbol text, ts_utc timestamptz, ends_utc timestamptz);
insert into four_hours (symbol, ts_utc, ends_utc) values
  ('ISLAND', '2026-04-04 13:00+00', '2026-04-04 17:30+00'),
  ('ISLAND', '2026-04-04 17:30+00', '2026-04-04 21:30+00'),
  ('NIFTY', '2026-04-04 18:30+00', '2026-04-04 22:30+00'),
  ('FX', '2026-03-08 02:00+00', '2026-03-08 06:00+00'),
  ('FX', '2026-03-08 06:00+00', '2026-03-08 09:00+00'),
  ('FX', '2026-03-08 09:00+00', '2026-03-08 13:00+00');
create function pg_temp.minutes_of(p_symbol text, p_from timestamptz, p_to timestamptz) returns table (
  open double precision, high double precision, low double precision, close double precision, vol double precision, vwap numeric,
  trade_count bigint, covered integer, expected integer
)
language sql as $$
  select
    (array_agg(b.open order by b.ts_utc))[1], max(b.high), min(b.low), (array_agg(b.close order by b.ts_utc desc))[1], sum(b.vol),
    round((
      sum(b.vwap * b.vol) filter (where b.vol > 0 and b.vwap is not null) / sum(b.vol) filter (where b.vol > 0 and b.vwap is not null)
    )::numeric, 6),
    sum(b.trade_count)::bigint, count(*)::integer, (extract(epoch from p_to - p_from) / 60)::integer
  from public.data_bars as b
  where b.canonical_symbol = p_symbol and b.timeframe = '1m' and b.ts_utc >= p_from and b.ts_utc < p_to
$$;
create function pg_temp.bar(p_timeframe text) returns table (
  symbol text, ts_utc timestamptz, open double precision, high double precision, low double precision, close double precision,
  vol double precision, vwap numeric, trade_count bigint, covered integer, expected integer
)
language sql as $$
  select
    d.canonical_symbol, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, round(d.vwap::numeric, 6), d.trade_count,
    d.covered_minutes, d.expected_minutes
  from public.derived_data_bars as d
  where d.timeframe = p_timeframe and d.deleted_at is null
$$;

select bag_eq(
  $$ select b.* from pg_temp.bar('1d') as b $$,
  $$ select d.symbol, d.ts_utc, m.* from day as d cross join lateral pg_temp.minutes_of(d.symbol, d.ts_utc, d.ends_utc) as m $$,
  'every day equals what its minutes say, and has 23, 24 or 24 and a half hours'
);
select bag_eq(
  $$ select b.* from four_hours as f join pg_temp.bar('4h') as b on b.symbol = f.symbol and b.ts_utc = f.ts_utc $$,
  $$ select f.symbol, f.ts_utc, m.* from four_hours as f cross join lateral pg_temp.minutes_of(f.symbol, f.ts_utc, f.ends_utc) as m $$,
  'so do windows of four hours, and of three, and of four and a half'
);
select results_eq(
  $$
    select d.canonical_symbol, string_agg(distinct d.timeframe || ' from ' || d.source_timeframe, ', ' order by d.timeframe || ' from ' || d.source_timeframe)
    from public.derived_data_bars as d
    where d.timeframe in ('4h', '1d')
    group by 1
    order by 1
  $$,
  $$ values ('FX', '1d from 1h, 4h from 1h'), ('ISLAND', '1d from 5m, 4h from 5m'), ('NIFTY', '1d from 5m, 4h from 5m') $$,
  'days that begin at half past are built from five minutes'
);
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() agrees');
select is_empty(
  $$
    select d.canonical_symbol, d.ts_utc
    from public.derived_data_bars as d
    cross join lateral (
      select public.aggregate_window(d.canonical_symbol, d.timeframe, d.ts_utc, p_now => '2026-04-06 20:00+00') as result
    ) as a
    where d.timeframe in ('4h', '1d') and d.deleted_at is null
      and (a.result ->> 'quality_score')::smallint is distinct from d.quality_score
  $$,
  'aggregate_window() builds each of them again, by its start alone'
);
select is_empty('select v.* from public.agg_verify() as v', 'and as they were');

-- A late minute in the hour that the clock of New York skips: the days after it begin an hour earlier.
update public.data_bars as b set high = 99999 where b.canonical_symbol = 'FX' and b.ts_utc = '2026-03-08 21:00+00';
update public.data_bars as b set low = -99999 where b.canonical_symbol = 'FX' and b.ts_utc = (
  select max(c.ts_utc) from public.data_bars as c where c.canonical_symbol = 'FX' and c.ts_utc < '2026-03-08 21:00+00'
);
call tests.run('2026-04-06 20:00+00');
select results_eq(
  $$
    select d.timeframe, d.ts_utc, d.high = 99999, d.low = -99999
    from public.derived_data_bars as d
    where d.canonical_symbol = 'FX' and d.timeframe in ('4h', '1d') and (d.high = 99999 or d.low = -99999)
    order by 1, 2
  $$,
  $$
    values
      ('1d', timestamptz '2026-03-07 22:00+00', false, true), ('1d', '2026-03-08 21:00+00', true, false),
      ('4h', '2026-03-08 17:00+00', false, true), ('4h', '2026-03-08 21:00+00', true, false)
  $$,
  'a correction on either side of the close of the day reaches the bar of its side alone'
);

select * from finish();
rollback;
