comment on table agg.alert is
  'What needs attention: raised once, updated while its cause is there, resolved when its cause is gone, deleted by agg_maintain 90 days later. timeframe * concerns all of an asset, symbol * all of the database.';
comment on column agg.alert.severity is 'critical: bars are missing, or are about to be. warning: it can wait for the morning.';

create table agg.alert (
  alert_id bigint generated always as identity,
  kind text not null,
  canonical_symbol text not null,
  timeframe text not null,
  severity text not null default 'warning',
  message text not null,
  raised_at timestamptz not null,
  resolved_at timestamptz,
  constraint alert_pkey primary key (alert_id),
  constraint alert_kind_check check (kind in (
    'hard_failed', 'disabled', 'failing', 'behind', 'no_data', 'poor_quality', 'slow',
    'metadata', 'uncorrected', 'undelivered', 'unread', 'unregistered', 'unsynced', 'wrong'
  )),
  constraint alert_severity_check check (severity in ('critical', 'warning'))
);

create unique index alert_open_idx on agg.alert (kind, canonical_symbol, timeframe) where resolved_at is null;

alter table agg.alert enable row level security;

create policy service_role_reads on agg.alert for select to service_role using (true);
