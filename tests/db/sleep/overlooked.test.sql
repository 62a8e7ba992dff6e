begin;
select plan(10);

call tests.clear();
call tests.add_asset('A');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.run('2025-07-01 02:05+00');

create function pg_temp.health(p_timeframe text, p_now timestamptz) returns text
language sql as $$
  select format('%s, due for %s: %s', h.state, h.due_for, h.explanation)
  from public.agg_health(p_now) as h
  where h.canonical_symbol = 'A' and h.timeframe = p_timeframe
$$;

select is(
  pg_temp.health('5m', '2025-07-03 00:00+00'),
  'waiting_for_data, due for 00:00:00: no source bar after 2025-07-01 01:00:00+00 when it last ran, at 2025-07-01 02:05:00+00: sleeps until one arrives',
  'agg_health() says of a task that sleeps what its last run found'
);
select is(
  pg_temp.health('1h', '2025-07-03 00:00+00'),
  'waiting_for_source, due for 00:00:00: the 5m task had not decided the next window when this one last ran, at 2025-07-01 02:05:00+00, and wakes it',
  'agg_health() says which task wakes one that sleeps'
);
do $$ begin perform public.agg_maintain(p_now => '2025-07-03 00:00+00'); end; $$;
select is_empty($$ select a.kind from agg.alert as a where a.kind = 'behind' $$, 'a task that sleeps raises no alert');
select is(agg.recover_postponed_tasks('2025-07-03 00:00+00'), 0, 'recover_postponed_tasks() leaves tasks alone that sleep');

-- A load that leaves no note.
alter table public.data_bars disable trigger user;
call tests.add_minutes('A', '2025-07-01 01:00+00', '2025-07-01 02:00+00');
alter table public.data_bars enable trigger user;
alter table public.data_bars enable replica trigger note_replicated;
select is(
  public.agg_run_due(p_now => '2025-07-03 00:01+00') -> 'tasks', '0', 'a load without a note wakes no task at once'
);
select is(
  public.agg_maintain(p_now => '2025-07-03 00:05+00') -> 'tasks_woken', 'null', 'agg_maintain() looks for such bars once an hour only'
);
select is(
  public.agg_maintain(p_now => '2025-07-03 01:00+00') -> 'tasks_woken', '1', 'agg_maintain() wakes the task that has source bars, within an hour'
);
select is(
  public.agg_run_due(p_now => '2025-07-03 01:01+00') -> 'bars_created', '13', 'the next run builds its bars, and those of the task that it wakes'
);
select is(
  public.agg_maintain(p_now => '2025-07-03 02:00+00') -> 'tasks_woken', '0', 'agg_maintain() wakes no task without source bars'
);

-- A source task that is no longer wanted decides nothing any more.
update public.data_agg_state as s set enabled = false, status = 'disabled' where s.timeframe = '5m';
select is(agg.wake_overlooked_tasks(), 1, 'a task that sleeps until a source task advances is woken when that is switched off');

select * from finish();
rollback;
