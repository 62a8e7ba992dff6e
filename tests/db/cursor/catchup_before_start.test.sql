begin;
select plan(2);

call tests.clear();
call tests.add_asset('AAA');

select is(
  public.catchup_aggregation_range('AAA', '5m', '2020-01-01 00:00+00', 10) ->> 'new_cursor', '2025-06-30T23:55:00+00:00',
  'catchup_aggregation_range() returns no cursor before the start, whatever cursor it is given'
);
select is(
  public.catchup_aggregation_range('AAA', '5m', '2020-01-01 00:00+00', 10, '2025-07-01 00:00+00')
    - array['success', 'windows_processed', 'windows_empty', 'bars_created', 'bars_written', 'bars_quality_poor'],
  '{"new_cursor": "2025-06-30T23:55:00+00:00", "cursor_position": "2025-06-30T23:55:00+00:00", "max_source_ts": null,
    "stopped_reason": "cursor_at_frontier", "agg_start_enforced": "2025-07-01T00:00:00+00:00"}',
  'catchup_aggregation_range() says where it stands and what source there is when there is nothing to decide'
);

select * from finish();
rollback;
