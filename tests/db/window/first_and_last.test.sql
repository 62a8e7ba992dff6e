begin;
select plan(4);

-- A symbol for each of the 120 orders in which the five minutes of a window can arrive.
create temporary table arrival as
select 'P' || row_number() over (order by a.n, b.n, c.n, d.n, e.n) as symbol, array[a.n, b.n, c.n, d.n, e.n] as minutes
from generate_series(0, 4) as a (n), generate_series(0, 4) as b (n), generate_series(0, 4) as c (n),
  generate_series(0, 4) as d (n), generate_series(0, 4) as e (n)
where (select count(distinct m.n) from unnest(array[a.n, b.n, c.n, d.n, e.n]) as m (n)) = 5;

-- The first minute has the highest price and the last one the lowest, so that neither text nor price order helps.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select
  a.symbol, timestamptz '2025-07-01 09:55+00' + m.minute * interval '1 minute',
  50 - m.minute * 10, 50 - m.minute * 10, 41 - m.minute * 10, 41 - m.minute * 10
from arrival as a
cross join unnest(a.minutes) with ordinality as m (minute, arrived)
order by m.arrived, a.symbol;

create temporary table built as
select a.symbol, public.aggregate_1m_to_5m_window(a.symbol, '2025-07-01 09:55+00', '2025-07-01 10:00+00') as result
from arrival as a;

select is(count(*), 120::bigint, 'there is a window for each order of arrival') from arrival as a;
select is_empty(
  $$ select b.symbol from built as b where not (b.result -> 'stored')::boolean $$,
  'aggregate_1m_to_5m_window() stores each of them'
);
select results_eq(
  'select distinct d.open, d.close from public.derived_data_bars as d order by 1, 2',
  'values (50::double precision, 1::double precision)',
  'aggregate_1m_to_5m_window() takes the open of the first and the close of the last minute whatever the order of arrival'
);
select results_eq(
  'select distinct d.high, d.low from public.derived_data_bars as d order by 1, 2',
  'values (50::double precision, 1::double precision)',
  'aggregate_1m_to_5m_window() takes the highest high and the lowest low of the window'
);

select * from finish();
rollback;
