comment on table agg.run_log is 'One row a call of agg_run_due, kept for 14 days by agg_maintain; the dispatch job calls it once a batch, so that the last row of a minute and lane says idle, unless the job ran out of time. Times are the wall clock.';

create table agg.run_log (
  run_id bigint generated always as identity,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  env text not null,
  lane smallint not null default 1,
  batches integer not null,
  tasks integer not null,
  windows bigint not null,
  bars_created bigint not null,
  bars_quality_poor bigint not null,
  bars_corrected bigint not null,
  failed integer not null,
  windows_backfilled bigint not null default 0,
  stopped_reason text not null,
  constraint run_log_pkey primary key (run_id),
  constraint run_log_stopped_reason_check check (stopped_reason in ('idle', 'one_batch', 'time_budget', 'busy', 'paused'))
);

create index run_log_finished_at_idx on agg.run_log (finished_at);

alter table agg.run_log enable row level security;

create policy service_role_reads on agg.run_log for select to service_role using (true);
