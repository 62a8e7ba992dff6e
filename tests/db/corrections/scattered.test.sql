begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-04 00:00+00');
call tests.run('2025-07-04 01:00+00');
-- A wrong bar stays wrong until its window is built again.
create function pg_temp.tamper() returns void
language sql as $$ update public.derived_data_bars as d set trade_count = 99 where d.timeframe = '5m' $$;
create function pg_temp.built_again() returns timestamptz[]
language sql as $$
  select array_agg(d.ts_utc order by d.ts_utc) from public.derived_data_bars as d where d.timeframe = '5m' and d.trade_count is null
$$;

do $$ begin perform pg_temp.tamper(); end; $$;
update public.data_bars as b set high = 2 where b.ts_utc in ('2025-07-01 00:02+00', '2025-07-02 12:00+00', '2025-07-03 23:59+00');
select cmp_ok(
  (public.agg_run_due(p_now => '2025-07-04 01:00+00') ->> 'windows')::integer, '<=', 6,
  'agg_run_due() builds three 5m and three 1h windows for three scattered rows of one statement'
);
select is(
  pg_temp.built_again(), array['2025-07-01 00:00+00', '2025-07-02 12:00+00', '2025-07-03 23:55+00']::timestamptz[],
  'agg_run_due() builds nothing between them'
);

do $$ begin perform pg_temp.tamper(); end; $$;
update public.data_bars as b set high = 3
where b.ts_utc >= '2025-07-01 00:00+00' and b.ts_utc < '2025-07-01 09:00+00' or b.ts_utc >= '2025-07-03 14:00+00';
call tests.run('2025-07-04 01:00+00');
select is(cardinality(pg_temp.built_again()), 9 * 12 + 10 * 12, 'agg_run_due() builds the runs of a large statement');
select is(
  (
    select count(*) from unnest(pg_temp.built_again()) as w (ts_utc)
    where w.ts_utc >= '2025-07-01 09:00+00' and w.ts_utc < '2025-07-03 14:00+00'
  ),
  0::bigint, 'agg_run_due() builds nothing between these, either'
);

select * from finish();
rollback;
