comment on table agg.queue is
'When the tasks of a queue that are due together are due: those that are up to date (data_agg_state.queued_at is -infinity), with the same is_mandatory, interval and task_priority. A run reads them only then. A queue without a row is always read.';
comment on column agg.queue.due_at is 'None of them is due before. agg.raise_due_at raises it; it may be lowered at any time, to -infinity too.';

create table agg.queue (
  is_mandatory boolean not null,
  run_interval_minutes integer not null,
  task_priority integer not null,
  due_at timestamptz not null default '-infinity',
  constraint queue_pkey primary key (is_mandatory, run_interval_minutes, task_priority)
);

alter table agg.queue enable row level security;

create policy service_role_reads on agg.queue for select to service_role using (true);
