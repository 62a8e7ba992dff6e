begin;
select plan(3);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
update public.data_bars as b set is_partial = true where b.ts_utc = '2025-07-01 00:07+00';
call tests.run('2025-07-01 01:05+00');
select results_eq(
  $$ select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.is_partial order by 1 $$,
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('5m', '2025-07-01 00:05+00') $$,
  'a bar made of a partial minute says so, at every level'
);
update public.data_bars as b set is_partial = false where b.ts_utc = '2025-07-01 00:07+00';
call tests.run('2025-07-01 01:06+00');
select is_empty(
  'select d.* from public.derived_data_bars as d where d.is_partial', 'a minute that is complete later takes the mark away, at every level'
);
select is_empty('select v.* from public.agg_verify() as v', 'agg_verify() compares the mark');

select * from finish();
rollback;
