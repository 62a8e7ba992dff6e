begin;
select plan(4);

call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-06-30 00:00+00', '2025-07-02 00:00+00');

create temporary table early as
select public.catchup_aggregation_range('ACME', '5m', '2025-06-20 00:00+00', 10000, '2025-07-02 12:00+00') as result;
select is(
  (select min(d.ts_utc) from public.derived_data_bars as d), timestamptz '2025-07-01 00:00+00',
  'catchup_aggregation_range() builds nothing before agg_start_utc, whatever cursor it is given'
);
select is(
  e.result - 'bars_written',
  '{"success": true, "windows_processed": 288, "windows_empty": 0, "bars_created": 288, "bars_quality_poor": 0,
    "new_cursor": "2025-07-01T23:55:00+00:00", "stopped_reason": "no_source_data", "agg_start_enforced": "2025-07-01T00:00:00+00:00"}',
  'catchup_aggregation_range() counts windows from agg_start_utc on'
) from early as e;

-- The start moves to the future: catchup has nothing to do, and what it returns must be acceptable.
call tests.set_metadata('ACME', '{agg,start_utc}', '"2025-08-01T00:00:00Z"');
do $$ begin perform public.agg_start('ACME', '5m', '2025-07-02 12:00+00'); end; $$;
create temporary table moved as
select public.catchup_aggregation_range('ACME', '5m', null, 10000, '2025-07-02 12:00+00') as result;
select is(
  m.result ->> 'stopped_reason', 'cursor_at_frontier', 'catchup_aggregation_range() waits for a start in the future'
) from moved as m;
select lives_ok(
  $$
    select public.agg_finish('ACME', '5m', true, (m.result ->> 'new_cursor')::timestamptz, m.result, p_now => '2025-07-02 12:00+00')
    from moved as m
  $$,
  'agg_finish() takes the cursor that catchup_aggregation_range() returned for a start in the future'
);

select * from finish();
rollback;
