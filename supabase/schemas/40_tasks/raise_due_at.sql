comment on function agg.raise_due_at is
'Raises due_at of a queue to when the first of its tasks that are due together is due. Returns it; null where it stays: a task is due, or another session is at work on the queue.
Locks: never waits; the row of the queue, so that no task joins meanwhile (agg.finish_tasks).';

create function agg.raise_due_at(p_is_mandatory boolean, p_run_interval_minutes integer, p_task_priority integer)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by an index in order, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
declare
  v_raised_to timestamptz;
begin
  perform
  from agg.queue as q
  where q.is_mandatory = p_is_mandatory and q.run_interval_minutes = p_run_interval_minutes and q.task_priority = p_task_priority
    -- Where other lanes are at work, no lock stands in their way for nothing.
    and ((select e.lanes from agg.environment as e) = 1 or not exists (
      select
      from agg.runnable_task as s
      where s.is_mandatory = q.is_mandatory and s.run_interval_minutes = q.run_interval_minutes and s.task_priority = q.task_priority
        and s.queued_at = '-infinity' and s.next_run_at <= q.due_at
    ))
  for update skip locked;
  if not found then
    return null;
  end if;
  -- A later statement: it sees every task that joined before the lock.
  update agg.queue as q
  set due_at = f.next_run_at
  from (
    select min(s.next_run_at) as next_run_at
    from agg.runnable_task as s
    where s.is_mandatory = p_is_mandatory and s.run_interval_minutes = p_run_interval_minutes and s.task_priority = p_task_priority
      and s.queued_at = '-infinity'
  ) as f
  where q.is_mandatory = p_is_mandatory and q.run_interval_minutes = p_run_interval_minutes and q.task_priority = p_task_priority
    and q.due_at < f.next_run_at
  returning q.due_at into v_raised_to;
  return v_raised_to;
end;
$$;
