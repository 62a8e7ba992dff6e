begin;
select plan(13);

call tests.clear();
call tests.add_asset('A');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 01:00+00');

-- Runs the dispatcher until it is idle; says how many tasks ran, which of them sleep, and the newest 5m bar.
create function pg_temp.run(p_now timestamptz) returns text
language plpgsql as $$
declare
  v_tasks constant text := public.agg_run_due(p_now => p_now) ->> 'tasks';
begin
  return format(
    '%s ran, %s, bar %s', v_tasks,
    coalesce((
      select string_agg(s.timeframe, ' ' order by s.run_interval_minutes) || ' asleep'
      from public.data_agg_state as s
      where s.next_run_at = 'infinity'
    ), 'awake'),
    (
      select to_char(max(d.ts_utc) at time zone 'UTC', 'HH24:MI')
      from public.derived_data_bars as d
      where d.timeframe = '5m' and d.deleted_at is null
    )
  );
end;
$$;

select is(pg_temp.run('2025-07-01 01:05+00'), '2 ran, awake, bar 00:55', 'tasks wait for the clock while they have data');
select is(pg_temp.run('2025-07-01 01:10+00'), '1 ran, 5m asleep, bar 00:55', 'a task without a source bar at or after its next window sleeps');
select is(pg_temp.run('2025-07-01 02:05+00'), '1 ran, 5m 1h asleep, bar 00:55', 'a task sleeps whose source task has not decided its next window');
select is(pg_temp.run('2025-07-05 00:00+00'), '0 ran, 5m 1h asleep, bar 00:55', 'tasks that sleep are asked no more');

-- Behind the cursors: a correction of each level, and no task that advances.
update public.data_bars as d set high = 3 where d.canonical_symbol = 'A' and d.ts_utc = '2025-07-01 00:34+00';
select is(pg_temp.run('2025-07-05 00:01+00'), '2 ran, 5m 1h asleep, bar 00:55', 'a change behind the cursor wakes no task');

-- Four days on the market opens.
call tests.add_minutes('A', '2025-07-05 00:00+00', '2025-07-05 00:03+00');
select is(
  pg_temp.run('2025-07-05 00:04+00'), '2 ran, 1h asleep, bar 00:55',
  'a bar wakes its task, and a task that advances wakes the next, which finds no bar yet'
);
select is(
  (select s.last_agg_bar_ts_utc from public.data_agg_state as s where s.timeframe = '5m'), timestamptz '2025-07-04 23:50+00',
  'the task that a bar has woken steps over the gap before it'
);
call tests.add_minutes('A', '2025-07-05 00:03+00', '2025-07-05 00:05+00');
select is(pg_temp.run('2025-07-05 00:10+00'), '2 ran, awake, bar 00:00', 'the first window of a session is built in the first run after it');
select is(pg_temp.run('2025-07-05 00:15+00'), '1 ran, 5m asleep, bar 00:00', 'a task sleeps again');

-- What a correction that could not be dropped says about the windows to come.
insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
values ('A', '5m', '{[2025-07-05 00:05+00, 2025-07-05 00:06+00)}', now());
select is(pg_temp.run('2025-07-05 00:16+00'), '2 ran, 5m asleep, bar 00:00', 'a correction ahead of the cursor wakes its task');
insert into agg.correction (canonical_symbol, timeframe, spans, changed_at)
values ('A', '5m', '{[2025-07-05 00:05+00, 2025-07-05 00:06+00)}', now());
update public.data_bars as d set high = 4 where d.canonical_symbol = 'A' and d.ts_utc = '2025-07-01 00:34+00';
select is(pg_temp.run('2025-07-05 00:17+00'), '3 ran, 5m asleep, bar 00:00', 'a note behind the cursor that takes such a correction over wakes the task');

-- A bar stamped after the clock.
call tests.add_minute('A', '2025-07-09 00:00+00');
select is(pg_temp.run('2025-07-05 00:18+00'), '1 ran, awake, bar 00:00', 'a task with a bar stamped after the clock waits and does not sleep');
select is(pg_temp.run('2025-07-05 00:19+00'), '1 ran, awake, bar 00:00', 'and is asked again');

select * from finish();
rollback;
