begin;
select plan(8);

call tests.add_asset('ACME', '{
  "start_utc": "2025-03-01T00:00:00Z",
  "session": {"time_zone": "America/New_York", "weekly": [
    {"open": "Mon 09:30", "close": "Mon 16:00"}, {"open": "Tue 09:30", "close": "Tue 16:00"},
    {"open": "Wed 09:30", "close": "Wed 16:00"}, {"open": "Thu 09:30", "close": "Thu 16:00"},
    {"open": "Fri 09:30", "close": "Fri 16:00"}
  ]}
}');

-- Friday 7 March is in winter time, Monday 10 March in summer time. Every minute from 13:00 to 22:00 UTC has a bar; those
-- outside the session are extreme.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
select 'ACME', m.ts_utc, v.price, v.price, v.price, v.price, 1
from (values (timestamptz '2025-03-07 13:00+00'), ('2025-03-08 13:00+00'), ('2025-03-10 13:00+00')) as d (ts_utc)
cross join lateral generate_series(d.ts_utc, d.ts_utc + interval '9 hours', interval '1 minute') as m (ts_utc)
cross join lateral (
  select m.ts_utc at time zone 'America/New_York' as local
) as l
cross join lateral (
  select case
    when l.local::time >= '09:30' and l.local::time < '16:00' and extract(dow from l.local) between 1 and 5 then 100
    else 9999
  end as price
) as v;
call tests.run('2025-03-20 00:00+00');

select is_empty(
  'select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high <> 100',
  'build_windows() uses no bar outside the session'
);
select results_eq(
  $$
    select d.ts_utc, d.covered_minutes, d.expected_minutes, d.source_candles, d.expected_candles, d.quality_score::integer
    from public.derived_data_bars as d
    where d.timeframe = '1h'
    order by d.ts_utc
  $$,
  $$
    select
      h.ts_utc, case when h.is_first then 30 else 60 end, case when h.is_first then 30 else 60 end,
      case when h.is_first then 6 else 12 end, case when h.is_first then 6 else 12 end, 2
    from (
      select timestamptz '2025-03-07 14:00+00' + n.n * interval '1 hour' as ts_utc, n.n = 0 as is_first
      from generate_series(0, 6) as n (n)
      union all
      select timestamptz '2025-03-10 13:00+00' + n.n * interval '1 hour', n.n = 0
      from generate_series(0, 6) as n (n)
    ) as h
    order by h.ts_utc
  $$,
  'build_windows() gives a full half hour from 09:30 the score 2, at 14:30 UTC in winter and 13:30 UTC in summer'
);
select results_eq(
  $$
    select (d.ts_utc at time zone 'UTC')::date, min((d.ts_utc at time zone 'UTC')::time), max((d.ts_utc at time zone 'UTC')::time), count(*)
    from public.derived_data_bars as d
    where d.timeframe = '5m'
    group by 1
    order by 1
  $$,
  $$
    values
      (date '2025-03-07', time '14:30', time '20:55', 78::bigint),
      (date '2025-03-10', time '13:30', time '19:55', 78)
  $$,
  'build_windows() makes 5m bars of the session alone, and none on a Saturday'
);
select is_empty(
  $$ select d.ts_utc from public.derived_data_bars as d where d.timeframe = '5m' and (d.quality_score, d.covered_minutes) <> (2, 5) $$,
  'build_windows() gives every full 5m window of the session the score 2'
);

select results_eq(
  $$ select s.timeframe, s.last_agg_bar_ts_utc from public.data_agg_state as s where s.canonical_symbol = 'ACME' order by 1 $$,
  $$ values ('1h', timestamptz '2025-03-11 12:00+00'), ('5m', timestamptz '2025-03-11 13:25+00') $$,
  'agg_run_due() decides the windows in which the market is closed in one go, up to the next one that is open'
);

-- A session that opens within a 5m window: two of its minutes are outside.
call tests.add_asset('ODD', '{"session": {"time_zone": "UTC", "weekly": [{"open": "Tue 09:02", "close": "Tue 10:00"}]}}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'ODD', timestamptz '2025-07-01 09:00+00' + m.n * interval '1 minute', m.n + 1, m.n + 1, m.n + 1, m.n + 1
from unnest(array[0, 1, 2, 3]) as m (n);
create temporary table odd as
select public.aggregate_1m_to_5m_window('ODD', '2025-07-01 09:00+00', '2025-07-01 09:05+00') as result;
select results_eq(
  $$
    select d.open, d.covered_minutes, d.expected_minutes, d.quality_score::integer
    from public.derived_data_bars as d
    where d.canonical_symbol = 'ODD'
    order by d.ts_utc
  $$,
  'values (3::double precision, 2, 3, 0)',
  'build_windows() measures coverage by the open minutes: two of three are 66 percent'
);
call tests.add_minute('ODD', '2025-07-01 09:04+00', 5);
select is(
  public.aggregate_1m_to_5m_window('ODD', '2025-07-01 09:00+00', '2025-07-01 09:05+00') -> 'quality_score', '2',
  'build_windows() gives three of three open minutes the score 2'
);
call tests.add_minutes('ODD', '2025-07-01 10:00+00', '2025-07-01 10:05+00');
select is(
  public.aggregate_1m_to_5m_window('ODD', '2025-07-01 10:00+00', '2025-07-01 10:05+00') ->> 'reason', 'insufficient_source_bars',
  'aggregate_1m_to_5m_window() stores nothing for a window in which the session is closed'
);

select * from finish();
rollback;
