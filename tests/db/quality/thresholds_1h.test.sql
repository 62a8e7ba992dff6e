begin;
select plan(4);

-- For every number of minutes from 12 to 60 one symbol: 5m windows filled evenly, and one filled window after window, so that
-- the same coverage comes from many poor and from few full 5m bars.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select v.symbol, timestamptz '2025-07-01 00:00+00' + v.minute * interval '1 minute', 1, 1, 1, 1
from generate_series(12, 60) as c (minutes)
cross join lateral (
  select 'EVEN' || c.minutes as symbol, w.n * 5 + m.n as minute
  from generate_series(0, 11) as w (n)
  cross join generate_series(0, 4) as m (n)
  where m.n * 12 + w.n < c.minutes
  union all
  select 'FULL' || c.minutes, m.n
  from generate_series(0, c.minutes - 1) as m (n)
) as v;

create temporary table built as
select
  s.symbol,
  array_agg(
    public.aggregate_1m_to_5m_window(s.symbol, w.ts_utc, w.ts_utc + interval '5 minutes') ->> 'quality_score' order by w.ts_utc
  ) as fives
from (select distinct b.canonical_symbol from public.data_bars as b) as s (symbol)
cross join generate_series(
  timestamptz '2025-07-01 00:00+00', timestamptz '2025-07-01 00:55+00', interval '5 minutes'
) as w (ts_utc)
group by s.symbol;
create temporary table hour as
select b.symbol, public.aggregate_5m_to_1h_window(b.symbol, '2025-07-01 00:00+00', '2025-07-01 01:00+00') as result
from built as b;

-- Minutes in windows of fewer than three make no 5m bar and so cover nothing.
create temporary table expected as
select k.symbol, sum(k.minutes)::integer as covered
from (
  select b.canonical_symbol as symbol, case when count(*) >= 3 then count(*) else 0 end as minutes
  from public.data_bars as b
  group by b.canonical_symbol, floor(extract(epoch from b.ts_utc) / 300)
) as k
group by k.symbol;

select results_eq(
  $$ select h.symbol, (h.result ->> 'quality_score')::integer from hour as h order by h.symbol $$,
  $$
    select
      e.symbol,
      case when e.covered = 60 then 2 when e.covered between 48 and 59 then 1 when e.covered between 36 and 47 then 0 end
    from expected as e
    order by e.symbol
  $$,
  'aggregate_5m_to_1h_window() scores covered minutes: 60 is 2, 48 is 1, 36 is 0, for every coverage reached in two ways'
);
select results_eq(
  $$
    select e.covered, max((h.result ->> 'quality_score')::integer)
    from hour as h
    join expected as e on e.symbol = h.symbol
    where e.covered in (60, 59, 48, 47, 36, 35)
    group by 1
    order by 1
  $$,
  'values (35, null::integer), (36, 0), (47, 0), (48, 1), (59, 1), (60, 2)',
  'aggregate_5m_to_1h_window() meets both sides of every threshold'
);
select results_eq(
  $$ select d.canonical_symbol, d.covered_minutes from public.derived_data_bars as d where d.timeframe = '1h' order by 1 $$,
  'select e.symbol, e.covered from expected as e where e.covered >= 36 order by 1',
  'build_windows() carries covered minutes through the levels'
);
select results_eq(
  $$
    select b.symbol, (h.result ->> 'source_count')::integer, (h.result ->> 'quality_score')::integer
    from built as b
    join hour as h on h.symbol = b.symbol
    where b.symbol in ('EVEN36', 'EVEN48')
      and b.fives in (array_fill('0'::text, array[12]), array_fill('1'::text, array[12]))
    order by 1
  $$,
  $$ values ('EVEN36', 12, 0), ('EVEN48', 12, 1) $$,
  'aggregate_5m_to_1h_window() scores an hour of twelve poor five-minutes poor and one of twelve good ones good'
);

select * from finish();
rollback;
