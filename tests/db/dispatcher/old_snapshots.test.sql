begin isolation level repeatable read;
select plan(7);

select throws_ok(
  'select public.agg_run_due()', '25001', null, 'agg_run_due() refuses to build in a transaction that keeps one snapshot'
);
select throws_ok('select agg.run_batch()', '25001', null, 'agg.run_batch() refuses it');

select throws_ok(
  $$ select public.catchup_aggregation_range('DXY', '5m') $$, '25001', null, 'catchup_aggregation_range() refuses it'
);
select throws_ok(
  $$ select public.aggregate_1m_to_5m_window('DXY', '2025-07-01 00:00+00', '2025-07-01 00:05+00') $$, '25001', null,
  'aggregate_1m_to_5m_window() refuses it'
);
select throws_ok(
  $$ select public.aggregate_5m_to_1h_window('DXY', '2025-07-01 00:00+00', '2025-07-01 01:00+00') $$, '25001', null,
  'aggregate_5m_to_1h_window() refuses it'
);
select throws_ok(
  $$ select public.calc_dxy_range_1m('2025-07-01 00:00+00', '2025-07-01 01:00+00') $$, '25001', null, 'calc_dxy_range_1m() refuses it'
);
select is_empty('select v.ts_utc from public.agg_verify() as v', 'agg_verify(), which builds nothing, accepts it');

select * from finish();
rollback;
