begin;
select plan(8);

call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active, test_active, metadata)
select 'S' || g.n, true, g.n <= 2, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}'
from generate_series(1, 10) as g (n);
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select r.canonical_symbol, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from public.core_asset_registry_all as r
cross join generate_series(0, 99) as m (n)
where r.active and m.n % 5 < case when m.n < 25 then 3 else 5 end;

select is(
  public.agg_run_due(p_env => 'test', p_now => '2025-07-01 01:00+00', p_time_budget => '0', p_batch_windows => 6),
  '{"tasks": 2, "windows": 6, "bars_created": 6, "bars_quality_poor": 6, "bars_corrected": 0, "failed": 0, "batches": 1, "stopped_reason": "one_batch"}',
  'agg_run_due() runs one batch of the environment for a time budget of 0, its windows shared evenly'
);
select is(
  public.agg_run_due(p_now => '2025-07-01 01:00+00', p_limit => 4, p_time_budget => '0'),
  '{"tasks": 4, "windows": 44, "bars_created": 44, "bars_quality_poor": 20, "bars_corrected": 0, "failed": 0, "batches": 1, "stopped_reason": "one_batch"}',
  'agg_run_due() claims p_limit tasks a batch'
);
select is(
  public.agg_run_due(p_now => '2025-07-01 02:00+00') - 'batches',
  '{"tasks": 20, "windows": 160, "bars_created": 160, "bars_quality_poor": 24, "bars_corrected": 0, "failed": 0, "stopped_reason": "idle"}',
  'agg_run_due() goes on until nothing is due'
);
select is(
  public.agg_run_due(p_now => '2025-07-01 02:00+00'),
  '{"tasks": 0, "windows": 0, "bars_created": 0, "bars_quality_poor": 0, "bars_corrected": 0, "failed": 0, "batches": 0, "stopped_reason": "idle"}',
  'agg_run_due() does nothing when nothing is due'
);
select results_eq(
  'select l.env, l.tasks, l.batches, l.windows, l.stopped_reason from agg.run_log as l order by l.run_id limit 2',
  $$ values ('test', 2, 1, 6::bigint, 'one_batch'), ('prod', 4, 1, 44, 'one_batch') $$,
  'agg_run_due() writes a row of agg.run_log a run'
);
select throws_ok($$ select public.agg_run_due(p_limit => 0) $$, '22023', null, 'agg_run_due() refuses p_limit 0');
select throws_ok($$ select public.agg_run_due(p_now => null) $$, '22023', null, 'agg_run_due() refuses p_now null');
select is(
  (select count(*) from public.data_agg_state as s where s.status <> 'idle'), 0::bigint, 'agg_run_due() leaves every task idle'
);

select * from finish();
rollback;
