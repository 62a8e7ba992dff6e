begin;
select plan(8);

call tests.add_asset('ACME');

select throws_ok(
  $$ select public.catchup_aggregation_range('NOBODY', '5m') $$, 'P0002', null,
  'catchup_aggregation_range() raises no_data_found for an unknown symbol'
);
select throws_ok(
  $$ select public.catchup_aggregation_range('ACME', '7m') $$, 'P0002', null,
  'catchup_aggregation_range() raises no_data_found for an unknown timeframe'
);
select throws_ok(
  $$ select public.catchup_aggregation_range('ACME', '5m', '2025-07-01 00:01+00') $$, '22023', null,
  'catchup_aggregation_range() refuses a misaligned cursor'
);
select throws_ok(
  $$ select public.catchup_aggregation_range('ACME', '1h', '2025-07-01 00:05+00') $$, '22023', null,
  'catchup_aggregation_range() refuses a cursor aligned to a shorter timeframe'
);
select throws_ok(
  $$ select public.catchup_aggregation_range('ACME', '5m', p_max_windows => 0) $$, '22023', null,
  'catchup_aggregation_range() refuses p_max_windows 0'
);
select throws_ok(
  $$ select public.catchup_aggregation_range('ACME', '5m', p_max_windows => null) $$, '22023', null,
  'catchup_aggregation_range() refuses p_max_windows null'
);
select throws_ok(
  $$ select public.catchup_aggregation_range('ACME', '5m', p_until_utc => null) $$, '22023', null,
  'catchup_aggregation_range() refuses p_until_utc null'
);
select is(
  public.catchup_aggregation_range('ACME', '5m', p_until_utc => '2025-06-01 00:00+00') - 'bars_written' - 'windows_empty',
  '{"success": true, "windows_processed": 0, "bars_created": 0, "bars_quality_poor": 0, "new_cursor": "2025-06-30T23:55:00+00:00",
    "cursor_position": "2025-06-30T23:55:00+00:00", "max_source_ts": null, "stopped_reason": "cursor_at_frontier", "agg_start_enforced": "2025-07-01T00:00:00+00:00"}',
  'catchup_aggregation_range() has nothing to decide before the start'
);

select * from finish();
rollback;
