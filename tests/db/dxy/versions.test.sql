begin;
select plan(6);

insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select c.symbol, timestamptz '2025-07-01 12:00+00' + m.n * interval '1 minute', v.open, greatest(v.open, v.close), least(v.open, v.close), v.close
from unnest(tests.rates()) as c (symbol)
cross join (values (0, 1::double precision, 1::double precision), (1, 1, 2), (2, 2, 1)) as m (n, usdjpy_open, usdjpy_close)
cross join lateral (
  select
    case c.symbol when 'USDJPY' then m.usdjpy_open else 1 end as open,
    case c.symbol when 'USDJPY' then m.usdjpy_close else 1 end as close
) as v;

create function pg_temp.build(p_version integer) returns jsonb
language sql as $$
  select public.calc_dxy_range_1m('2025-07-01 12:00+00', '2025-07-01 12:03+00', p_version) - 'timestamp_range' - 'success'
$$;
create function pg_temp.expected(p_rate double precision) returns double precision
language sql as $$ select round((50.14348112 * p_rate ^ 0.136)::numeric, 8)::double precision $$;

select is(
  pg_temp.build(1), '{"inserted": 3, "updated": 0, "unchanged": 0, "removed": 0, "skipped_incomplete": 0, "derivation_version": 1}',
  'calc_dxy_range_1m() builds version 1 by default'
);
select results_eq(
  $$ select d.open, d.high, d.low, d.close, d.raw ->> 'prices', d.raw -> 'derivation_version'
    from public.data_bars as d where d.canonical_symbol = 'DXY' order by d.ts_utc $$,
  $$
    select pg_temp.expected(v.r), pg_temp.expected(v.r), pg_temp.expected(v.r), pg_temp.expected(v.r), 'flat', '1'::jsonb
    from (values (1, 1), (2, 2), (3, 1)) as v (n, r)
    order by v.n
  $$,
  'calc_dxy_range_1m() takes all four prices of version 1 from the closes, and raw says so'
);
select is(
  pg_temp.build(2), '{"inserted": 0, "updated": 3, "unchanged": 0, "removed": 0, "skipped_incomplete": 0, "derivation_version": 2}',
  'calc_dxy_range_1m() updates bars of another version'
);
select results_eq(
  $$ select d.open, d.high, d.low, d.close, d.raw ->> 'prices', d.raw -> 'derivation_version'
    from public.data_bars as d where d.canonical_symbol = 'DXY' order by d.ts_utc $$,
  $$
    select pg_temp.expected(v.o), pg_temp.expected(greatest(v.o, v.c)), pg_temp.expected(least(v.o, v.c)), pg_temp.expected(v.c),
      'open_close', '2'::jsonb
    from (values (1, 1, 1), (2, 1, 2), (3, 2, 1)) as v (n, o, c)
    order by v.n
  $$,
  'calc_dxy_range_1m() takes open and close of version 2 from opens and closes, high and low as their larger and smaller'
);
create temporary table placed as select d.ctid as place, d.ts_utc from public.data_bars as d where d.canonical_symbol = 'DXY';
select is(
  pg_temp.build(2), '{"inserted": 0, "updated": 0, "unchanged": 3, "removed": 0, "skipped_incomplete": 0, "derivation_version": 2}',
  'calc_dxy_range_1m() counts unchanged bars'
);
select results_eq(
  $$ select d.ctid from public.data_bars as d where d.canonical_symbol = 'DXY' order by d.ts_utc $$,
  'select p.place from placed as p order by p.ts_utc',
  'calc_dxy_range_1m() writes no row version when nothing differs'
);

select * from finish();
rollback;
