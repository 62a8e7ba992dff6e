comment on view agg.task_queue is
'The queues of runnable tasks: those with the same is_mandatory, interval and task_priority. One probe of data_agg_state_queue_idx a queue, however many tasks it holds.';

create view agg.task_queue with (security_invoker = true) as
with recursive queue as (
  (
    select s.is_mandatory, s.run_interval_minutes, s.task_priority
    from agg.runnable_task as s
    order by s.is_mandatory, s.run_interval_minutes, s.task_priority
    limit 1
  )
  union all
  select n.is_mandatory, n.run_interval_minutes, n.task_priority
  from queue as q
  cross join lateral (
    select s.is_mandatory, s.run_interval_minutes, s.task_priority
    from agg.runnable_task as s
    where (s.is_mandatory, s.run_interval_minutes, s.task_priority) > (q.is_mandatory, q.run_interval_minutes, q.task_priority)
    order by s.is_mandatory, s.run_interval_minutes, s.task_priority
    limit 1
  ) as n
)
select q.is_mandatory, q.run_interval_minutes, q.task_priority from queue as q;
