begin;
select plan(3);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 00:10+00');
call tests.run('2025-07-01 00:15+00');
-- With a bar stamped after the clock it waits and does not sleep.
call tests.add_minute('ACME', '2025-07-02 00:00+00');
call tests.run('2025-07-01 00:21:00.074+00');
select is(
  (select s.next_run_at from public.data_agg_state as s where s.timeframe = '5m'), '2025-07-01 00:22+00',
  'agg_run_due() ends a wait for data at a whole minute'
);
call tests.add_minutes('ACME', '2025-07-01 00:10+00', '2025-07-01 00:15+00');
select is(
  public.agg_run_due(p_now => '2025-07-01 00:22:00.027+00') -> 'bars_created', '1', 'the run of the next minute builds what has arrived'
);
do $$
begin
  perform public.agg_start('ACME', '5m', '2025-07-01 00:22:00.5+00');
  perform public.agg_finish('ACME', '5m', false, p_fail_kind => 'hard', p_error => 'broken', p_now => '2025-07-01 00:22:30.5+00');
end;
$$;
select is(
  (select s.next_run_at from public.data_agg_state as s where s.timeframe = '5m'), '2025-07-01 00:23+00',
  'agg_finish() ends a backoff at a whole minute'
);

select * from finish();
rollback;
