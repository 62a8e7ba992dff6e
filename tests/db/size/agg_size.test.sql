begin;
select plan(8);

call tests.clear();
call tests.add_asset('EURUSD');
call tests.add_asset('USDJPY');
-- A week of hours of 60 minutes, and one hour before it.
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select y.symbol, h.ts_utc + m.minute * interval '1 minute', 1, 1, 1, 1
from unnest(array['EURUSD', 'USDJPY']) as y (symbol)
cross join generate_series(timestamptz '2025-07-01 00:00+00', '2025-07-08 00:00+00', interval '24 hours') as h (ts_utc)
cross join generate_series(0, 59) as m (minute);
call tests.run('2025-07-08 02:00+00');

create temporary table size as select z.* from public.agg_size(1000000000, '2025-07-08 02:00+00') as z;
select results_eq(
  $$
    select z.table_name, z.timeframe, z.rows, z.rows_a_day, z.is_estimate
    from size as z
    where z.timeframe is not null
    order by z.table_name, z.rows desc
  $$,
  $$
    values
      ('data_bars', '1m', 960::bigint, 120::bigint, false), ('derived_data_bars', '5m', 192, 24, false),
      ('derived_data_bars', '1h', 16, 2, false)
  $$,
  'agg_size() counts the bars of small tables by timeframe, and those of the last seven days'
);
select ok(
  (
    select abs(sum(z.bytes) - pg_total_relation_size('public.derived_data_bars')) < 3
    from size as z
    where z.table_name = 'derived_data_bars'
  ),
  'the bytes of a table are shared among its timeframes'
);
select set_eq(
  $$ select z.table_name from size as z where z.timeframe is null $$,
  $$
    select '*'
    union all
    select c.relname::text
    from pg_catalog.pg_class as c
    where c.relkind = 'r' and (
      c.relnamespace = 'agg'::regnamespace
      or c.relnamespace = 'public'::regnamespace and c.relname not in ('data_bars', 'derived_data_bars')
    )
  $$,
  'every other table has a row, and all of them together'
);
select is(
  (select z.days_left from size as z where z.table_name = '*'),
  (
    select floor((1000000000 - sum(z.bytes)) / sum(z.bytes_a_day))::integer
    from size as z
    where z.table_name <> '*'
  ),
  'days_left says when the tables reach the size'
);
select is(
  (select z.days_left from public.agg_size(1, '2025-07-08 02:00+00') as z where z.table_name = '*'), 0,
  'it is 0 where they are larger'
);
select is(
  (select z.days_left from public.agg_size(1000000000, '2026-07-08 02:00+00') as z where z.table_name = '*'), null,
  'and null where nothing grows'
);
select is(
  (select z.days_left from public.agg_size(null, '2025-07-08 02:00+00') as z where z.table_name = '*'), null,
  'and null without a size'
);

-- A table that is too large to count: what statistics say of it.
alter table public.derived_data_bars add column filler text;
alter table public.derived_data_bars alter column filler set storage plain;
insert into public.derived_data_bars (
  canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles, covered_minutes,
  expected_minutes, quality_score, filler
)
select
  'BIG', t.timeframe, timestamptz '2020-01-01 00:00+00' + g.n * interval '1 hour', 1, 1, 1, 1, '1m', 1, 1, 1, 1, 2, repeat('x', 7000)
from (values ('5m', 0, 9999), ('1h', 10000, 12999)) as t (timeframe, first_n, last_n)
cross join lateral generate_series(t.first_n, t.last_n) as g (n);
analyze public.derived_data_bars;
select ok(
  (
    select bool_and(z.is_estimate) and count(*) = 2
      and bool_and(abs(z.rows - case z.timeframe when '5m' then 10192 else 3016 end) < 300)
    from public.agg_size(null, '2025-07-08 02:00+00') as z
    where z.table_name = 'derived_data_bars'
  ),
  'rows of a table above 100 MB come from its statistics'
);

select * from finish();
rollback;
