create table agg.run_log (
  run_id bigint generated always as identity,
  started_at timestamptz not null,
  finished_at timestamptz not null,
  env text not null,
  batches integer not null,
  tasks integer not null,
  windows bigint not null,
  bars_created bigint not null,
  bars_quality_poor bigint not null,
  bars_corrected bigint not null,
  failed integer not null,
  stopped_reason text not null,
  constraint run_log_pkey primary key (run_id),
  constraint run_log_stopped_reason_check check (stopped_reason in ('idle', 'time_budget', 'busy'))
);

create index run_log_finished_at_idx on agg.run_log (finished_at);

create table agg.alert (
  alert_id bigint generated always as identity,
  kind text not null,
  canonical_symbol text not null,
  timeframe text not null,
  message text not null,
  raised_at timestamptz not null,
  resolved_at timestamptz,
  constraint alert_pkey primary key (alert_id),
  constraint alert_kind_check check (kind in ('hard_failed', 'disabled', 'behind', 'refused', 'uncorrected', 'unread', 'unsynced'))
);

create unique index alert_open_idx on agg.alert (kind, canonical_symbol, timeframe) where resolved_at is null;

alter table agg.run_log enable row level security;
create policy service_role_reads on agg.run_log for select to service_role using (true);
alter table agg.alert enable row level security;
create policy service_role_reads on agg.alert for select to service_role using (true);
revoke all on table agg.run_log, agg.alert from public, anon, authenticated, service_role;
grant select on table agg.run_log, agg.alert to service_role;

comment on table agg.run_log is 'One row a call of agg_run_due, kept for 14 days by agg_maintain; the dispatch job calls it once a batch, so its last row of a minute is idle unless it ran out of time. Times are the wall clock.';
comment on table agg.alert is
  'What somebody should look at: raised once, resolved when its cause is gone. An asset that the sync refused has timeframe *, and what concerns no asset in particular has symbol * as well. Kept for 90 days after that by agg_maintain.';
