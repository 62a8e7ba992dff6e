begin;
select plan(2);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00');
call tests.run('2025-07-01 05:00+00');
do $$ begin perform public.agg_start('ACME', '5m', '2025-07-01 05:06+00'); end; $$;
update public.data_bars as b set high = 3 where b.ts_utc = '2025-07-01 02:31+00';
call tests.run('2025-07-01 05:20+00');
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.high = 3', 'agg_run_due() waits for the worker for fifteen minutes'
);
call tests.run('2025-07-01 05:21+00');
select results_eq(
  'select d.timeframe, d.ts_utc from public.derived_data_bars as d where d.high = 3 order by 1',
  $$ values ('1h', timestamptz '2025-07-01 02:00+00'), ('5m', '2025-07-01 02:30+00') $$,
  'agg_run_due() makes the correction once the claim counts as abandoned'
);

select * from finish();
rollback;
