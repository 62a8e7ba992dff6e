begin;
select plan(4);

call tests.add_basket('RATIO', '{"GOLD": 1, "SILVER": -1}', 2, '{"derivation_version": 2}');
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select c.symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', c.price * (m.n + 1), c.price * (m.n + 2), c.price * (m.n + 1), c.price * (m.n + 2)
from (values ('GOLD', 8), ('SILVER', 2)) as c (symbol, price)
cross join generate_series(0, 9) as m (n)
where c.symbol = 'GOLD' or m.n <> 4;
update public.data_bars as d set close = 2, low = 2 where d.canonical_symbol = 'SILVER' and d.ts_utc = '2025-07-01 00:00+00';

select is(
  public.derive_synthetic_range('RATIO', '2025-07-01 00:00+00', '2025-07-01 00:10+00', 2) - 'timestamp_range',
  '{"success": true, "inserted": 9, "updated": 0, "unchanged": 0, "removed": 0, "skipped_incomplete": 1, "derivation_version": 2}',
  'derive_synthetic_range() computes any basket of the registry'
);
select results_eq(
  $$
    select distinct d.open, d.high, d.low, d.close
    from public.data_bars as d
    where d.canonical_symbol = 'RATIO'
    order by 1, 2
  $$,
  $$ values (8::double precision, 8::double precision, 8::double precision, 8::double precision), (8, 16, 8, 16) $$,
  'derive_synthetic_range() takes weights and base from the registry'
);
select results_eq(
  $$ select distinct d.raw -> 'components', d.raw -> 'formula_base' from public.data_bars as d where d.canonical_symbol = 'RATIO' order by 1 $$,
  $$ values ('["GOLD", "SILVER"]'::jsonb, '2'::jsonb) $$,
  'derive_synthetic_range() says in raw what the bar was made of'
);

delete from public.data_bars as d where d.canonical_symbol = 'RATIO';
call tests.run('2025-07-01 00:20+00');
select results_eq(
  $$
    select s.timeframe, s.last_agg_bar_ts_utc, s.total_bars_created, (
      select min(d.raw -> 'derivation_version' #>> '{}') from public.data_bars as d where d.canonical_symbol = 'RATIO'
    )
    from public.data_agg_state as s
    where s.canonical_symbol = 'RATIO'
    order by s.run_interval_minutes
  $$,
  $$
    values
      ('1m', timestamptz '2025-07-01 00:09+00', 9::bigint, '2'), ('5m', '2025-07-01 00:05+00', 2, '2'),
      ('1h', '2025-06-30 23:00+00', 0, '2')
  $$,
  'agg_run_due() keeps a basket with the derivation version of the registry'
);

select * from finish();
rollback;
