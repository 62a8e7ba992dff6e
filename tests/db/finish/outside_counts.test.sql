begin;
select plan(6);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
do $$ begin perform public.agg_start('ACME', '5m', '2025-07-01 01:05+00'); end; $$;
select throws_ok(
  $$ select public.agg_finish('ACME', '5m', true, p_stats => '{"bars_created": 9223372036854775807}') $$, '22023',
  'bars_created must be a whole number from 0 to 1000000000, not 9223372036854775807',
  'agg_finish() refuses a count that no run makes'
);
select throws_ok(
  $$ select public.agg_finish('ACME', '5m', true, p_stats => '{"bars_quality_poor": "many"}') $$, '22023', null,
  'agg_finish() refuses what is not a count'
);
select lives_ok(
  $$ select public.agg_finish('ACME', '5m', true, p_stats => '{"bars_created": 12.0, "bars_quality_poor": null}', p_now => '2025-07-01 00:10+00') $$,
  'agg_finish() takes a whole number in any spelling, and null'
);
select is(
  (select s.total_bars_created from public.data_agg_state as s where s.timeframe = '5m'), 12::bigint, 'agg_finish() adds it'
);
select throws_ok(
  $$ update public.data_agg_state as s set total_bars_created = 9223372036854775807 $$, '23514', null,
  'no total can be stored that makes a sum overflow'
);
update public.data_agg_state as s
set total_runs = 1000000000000000, total_bars_created = 1000000000000000, total_bars_quality_poor = 1000000000000000, fail_streak = 1000001;
select is(
  public.agg_run_due(p_now => '2025-07-01 01:05+00') - array['batches', 'windows', 'bars_quality_poor', 'stopped_reason'],
  '{"tasks": 2, "failed": 0, "bars_created": 13, "bars_corrected": 0}',
  'agg_run_due() goes on with the largest totals'
);

select * from finish();
rollback;
