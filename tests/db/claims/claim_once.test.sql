begin;
select plan(8);

call tests.clear();
call tests.add_asset('ACME');

create function pg_temp.start(p_now timestamptz) returns jsonb
language sql as $$ select public.agg_start('ACME', '5m', p_now) $$;

select is(
  pg_temp.start('2025-07-02 00:00+00'),
  '{"claimed": true, "canonical_symbol": "ACME", "timeframe": "5m", "source_timeframe": "1m", "last_agg_bar_ts_utc": "2025-06-30T23:55:00+00:00", "claimed_at": "2025-07-02T00:00:00+00:00"}',
  'agg_start() claims a task and returns its cursor'
);
select is(pg_temp.start('2025-07-02 00:01+00'), '{"claimed": false, "reason": "running"}', 'agg_start() claims a task once');
select is(
  (select b.tasks from agg.run_batch(p_now => '2025-07-02 00:02+00') as b), 1,
  'agg.run_batch() runs the other task of the asset'
);
select results_eq(
  'select s.timeframe, s.status, s.running_started_at_utc, s.total_runs from public.data_agg_state as s order by 1',
  $$ values ('1h', 'idle', null::timestamptz, 1::bigint), ('5m', 'running', timestamptz '2025-07-02 00:00+00', 0) $$,
  'agg.run_batch() leaves a claimed task to its worker'
);
do $$ begin perform public.agg_finish('ACME', '5m', true, p_now => '2025-07-02 00:03+00'); end; $$;
select is(pg_temp.start('2025-07-02 00:04+00') -> 'claimed', 'true', 'agg_start() claims again what was finished');
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'ACME';
select is(pg_temp.start('2025-07-02 00:05+00'), '{"claimed": false, "reason": "disabled"}', 'agg_start() does not claim a disabled task');
update public.core_asset_registry_all as r set active = true where r.canonical_symbol = 'ACME';
select throws_ok(
  $$ select public.agg_finish('ACME', '5m', true) $$, '55000', null,
  'agg_finish() refuses the worker whose claim ended when the asset was switched off'
);
select throws_ok(
  $$ select public.agg_start('ACME', '7m') $$, 'P0002', null, 'agg_start() raises no_data_found without a task'
);

select * from finish();
rollback;
