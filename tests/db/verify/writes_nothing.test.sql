begin;
select plan(2);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
update public.derived_data_bars as d set high = 9 where d.timeframe = '5m' and d.ts_utc = '2025-07-01 01:00+00';
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 02:02+00';
delete from public.data_bars as b where b.ts_utc >= '2025-07-01 03:00+00';
create function pg_temp.places() returns table (name text, place tid)
language sql as $$
  select 'data_bars', b.ctid from public.data_bars as b
  union all
  select 'derived_data_bars', d.ctid from public.derived_data_bars as d
  union all
  select 'data_agg_state', s.ctid from public.data_agg_state as s
  union all
  select 'change_note', n.ctid from agg.change_note as n
  union all
  select 'correction', k.ctid from agg.correction as k
  order by 1, 2
$$;
create temporary table place_before as select p.* from pg_temp.places() as p;

create temporary table found as select v.* from public.agg_verify() as v;
select results_eq(
  'select f.timeframe, f.problem, count(*) from found as f group by 1, 2 order by 1, 2',
  $$ values ('1h', 'different', 1::bigint), ('5m', 'different', 2), ('5m', 'stale', 12) $$,
  'agg_verify() finds differences in this test'
);
select results_eq(
  'select p.* from pg_temp.places() as p', 'select b.* from place_before as b order by 1, 2', 'agg_verify() writes to no table'
);

select * from finish();
rollback;
