comment on function agg.due_queues is
'The parts of queues that have tasks due at p_now: of each queue the tasks that are due together, and those that are due alone. due_at: since when. Their tasks are those with queued_at from from_at to to_at, and next_run_at up to until_at: of those that are due together first the ones that have been due for longest. A few probes of an index a part, however many tasks it holds.';

create function agg.due_queues(p_now timestamptz)
returns table (
  is_mandatory boolean, run_interval_minutes integer, task_priority integer,
  is_together boolean, due_at timestamptz, from_at timestamptz, to_at timestamptz, until_at timestamptz
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- As in agg.claim_due_tasks.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
begin
  return query
  select q.is_mandatory, q.run_interval_minutes, q.task_priority, p.*
  from agg.task_queue as q
  left join agg.queue as k
    on k.is_mandatory = q.is_mandatory and k.run_interval_minutes = q.run_interval_minutes and k.task_priority = q.task_priority
  cross join lateral (
    select true, coalesce(k.due_at, '-infinity'), '-infinity'::timestamptz, '-infinity'::timestamptz, coalesce(k.due_at, p_now)
    where coalesce(k.due_at, '-infinity') <= p_now and exists (
      select
      from agg.runnable_task as s
      where s.is_mandatory = q.is_mandatory and s.run_interval_minutes = q.run_interval_minutes and s.task_priority = q.task_priority
        and s.queued_at = '-infinity'
    )
    union all
    select false, f.queued_at, f.queued_at, p_now, p_now
    from (
      select s.queued_at
      from agg.runnable_task as s
      where s.is_mandatory = q.is_mandatory and s.run_interval_minutes = q.run_interval_minutes and s.task_priority = q.task_priority
        and s.queued_at > '-infinity'
      order by s.queued_at
      limit 1
    ) as f
    where f.queued_at <= p_now
  ) as p;
end;
$$;
