comment on table agg.run_total is
  'What the rows of agg.run_log summed up to that agg.prune_logs has deleted, so that the counters of agg_metrics never fall. One row, or none yet. seconds is what the runs took.';

create table agg.run_total (
  is_only boolean not null default true,
  runs bigint not null,
  seconds double precision not null,
  windows bigint not null,
  bars_created bigint not null,
  bars_quality_poor bigint not null,
  bars_corrected bigint not null,
  failed bigint not null,
  constraint run_total_pkey primary key (is_only),
  constraint run_total_is_only_check check (is_only)
);

alter table agg.run_total enable row level security;

create policy service_role_reads on agg.run_total for select to service_role using (true);
