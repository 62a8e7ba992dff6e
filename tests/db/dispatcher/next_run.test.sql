begin;
select plan(6);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
update public.data_agg_state as s set enabled = false where s.timeframe = '1h';

create function pg_temp.next_run(p_now timestamptz, p_batch_windows integer default 1000) returns text
language plpgsql as $$
declare
  v_batch agg.batch_result := agg.run_batch(p_now => p_now, p_batch_windows => p_batch_windows);
begin
  return (
    select format('%s tasks, %s, next at %s', v_batch.tasks, s.last_stopped_reason, coalesce(to_char(nullif(s.next_run_at, 'infinity') at time zone 'UTC', 'HH24:MI:SS'), 'infinity'))
    from public.data_agg_state as s
    where s.timeframe = '5m'
  );
end;
$$;

select is(
  pg_temp.next_run('2025-07-01 00:27:13+00', 1), '1 tasks, max_windows, next at 00:27:13',
  'agg.run_batch() leaves a task due that has more windows'
);
select is(
  pg_temp.next_run('2025-07-01 00:27:13+00'), '1 tasks, frontier, next at 00:30:00',
  'agg.run_batch() makes a task due again when its next window is complete and 300 s old'
);
select is(pg_temp.next_run('2025-07-01 00:29:59+00'), '0 tasks, frontier, next at 00:30:00', 'agg.run_batch() does nothing before');
select is(
  pg_temp.next_run('2025-07-01 01:09+00'), '1 tasks, frontier, next at 01:10:00',
  'agg.run_batch() brings the task to the end of the data'
);
select is(
  pg_temp.next_run('2025-07-01 01:10+00'), '1 tasks, no_source_data, next at infinity',
  'agg.run_batch() lets a task sleep that has no source bar at or after its next window'
);
-- From 01:10 on the next window could be decided, but nothing arrives before the bar of tomorrow: an eighth of the time waited, a minute at least, the
-- interval at most.
call tests.add_minute('ACME', '2025-07-02 00:00+00');
select results_eq(
  $$
    select t.waited, pg_temp.next_run(timestamptz '2025-07-01 01:10+00' + t.waited * interval '1 minute')
    from (values (0), (8), (16), (24), (40), (45)) as t (waited)
    order by t.waited
  $$,
  $$
    values
      (0, '1 tasks, no_source_data, next at 01:11:00'), (8, '1 tasks, no_source_data, next at 01:19:00'),
      (16, '1 tasks, no_source_data, next at 01:28:00'), (24, '1 tasks, no_source_data, next at 01:37:00'),
      (40, '1 tasks, no_source_data, next at 01:55:00'), (45, '1 tasks, no_source_data, next at 02:00:00')
  $$,
  'agg.run_batch() asks a task that waits for data ever less often, but once an interval'
);

select * from finish();
rollback;
