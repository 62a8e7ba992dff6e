comment on function agg.recover_postponed_tasks is
'Makes due at p_now what a clock that was ahead has put off for longer than any task or correction waits. Returns how many tasks.
A task waits at most for its next window and an hour of backoff, a correction at most an hour; a task that sleeps (infinity) waits for data. Where there is nothing to do it costs one probe a queue.
Has the next run read every queue (agg.queue), so that it finds what was written past the functions.
Locks: passes over rows that others have locked.';

create function agg.recover_postponed_tasks(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by an index, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_recovered integer;
begin
  update public.data_agg_state as s
  set next_run_at = p_now, updated_at = now()
  from (
    select l.canonical_symbol, l.timeframe
    from agg.task_queue as q
    cross join lateral (
      select r.canonical_symbol, r.timeframe
      from agg.runnable_task as r
      where r.is_mandatory = q.is_mandatory and r.run_interval_minutes = q.run_interval_minutes and r.task_priority = q.task_priority
        and r.queued_at > p_now + make_interval(mins => q.run_interval_minutes) + interval '1 hour' and r.queued_at < 'infinity'
        and r.next_run_at > r.due_at
      for update skip locked
    ) as l
  ) as postponed
  where s.canonical_symbol = postponed.canonical_symbol and s.timeframe = postponed.timeframe;
  get diagnostics v_recovered = row_count;

  -- A restore of older rows, for example.
  update agg.queue as q
  set due_at = '-infinity'
  from (
    select k.is_mandatory, k.run_interval_minutes, k.task_priority from agg.queue as k where k.due_at > p_now for update skip locked
  ) as f
  where q.is_mandatory = f.is_mandatory and q.run_interval_minutes = f.run_interval_minutes and q.task_priority = f.task_priority;

  if not exists (select from agg.correction as c where c.retry_at > p_now + interval '1 hour') then
    return v_recovered;
  end if;
  update agg.correction as k
  set retry_at = p_now
  from (
    select c.canonical_symbol, c.timeframe, c.correction_id
    from agg.correction as c
    where c.retry_at > p_now + interval '1 hour'
    for update skip locked
  ) as postponed
  where k.canonical_symbol = postponed.canonical_symbol and k.timeframe = postponed.timeframe
    and k.correction_id = postponed.correction_id;
  return v_recovered;
end;
$$;
