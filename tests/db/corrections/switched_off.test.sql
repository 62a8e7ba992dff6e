begin;
select plan(5);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
call tests.run('2025-07-01 02:05+00');

update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'ACME';
update public.data_bars as b set high = 2 where b.ts_utc = '2025-07-01 00:33+00';
create temporary table run as select public.agg_run_due(p_now => '2025-07-01 02:05+00') as result;
select is(r.result ->> 'stopped_reason', 'idle', 'agg_run_due() does not wait for a task that is switched off') from run as r;
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.high = 2', 'agg_run_due() corrects nothing that is switched off'
);
select results_eq(
  'select k.timeframe, k.spans from agg.correction as k order by 1',
  $$ values ('5m', tstzmultirange(tstzrange('2025-07-01 00:33+00', '2025-07-01 00:34+00'))) $$,
  'agg_run_due() keeps the correction meanwhile'
);

update public.core_asset_registry_all as r set active = true where r.canonical_symbol = 'ACME';
call tests.run('2025-07-01 02:05+00');
select results_eq(
  'select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 2 order by 1',
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('5m', '2025-07-01 00:30+00') $$,
  'agg_run_due() makes it once the asset is switched on again'
);
select is_empty('select k.correction_id from agg.correction as k', 'agg_run_due() leaves no correction then');

select * from finish();
rollback;
