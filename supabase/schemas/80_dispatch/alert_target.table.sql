comment on table agg.alert_target is
  'Where alerts go, and the heartbeat: a row a target. Its URL and its signing secret are in Vault, or in the environment of the function deliver-alerts, under names that follow from its own.';
comment on column agg.alert_target.min_severity is 'warning: all alerts. critical: those that are critical, or become so.';
comment on column agg.alert_target.next_try_at is 'No message goes out before: the target could not be reached, or asked to wait.';
comment on column agg.alert_target.failures is 'How often in a row the target could not be reached.';
comment on column agg.alert_target.failing_since is 'Since when messages do not arrive. Null: the last one did.';
comment on column agg.alert_target.error is 'Why the last message did not arrive. Shows neither URL nor secret.';
comment on column agg.alert_target.stopped_at is 'The target said that it is gone: nothing is sent until agg_add_alert_target names it again.';
comment on column agg.alert_target.heartbeat_due_at is 'The maintenance run that the next heartbeat tells of. Null: there was none since the last heartbeat.';

create table agg.alert_target (
  name text not null,
  kind text not null,
  min_severity text not null default 'warning',
  added_at timestamptz not null,
  next_try_at timestamptz not null,
  failures integer not null default 0,
  failing_since timestamptz,
  succeeded_at timestamptz,
  error text,
  stopped_at timestamptz,
  heartbeat_due_at timestamptz,
  constraint alert_target_pkey primary key (name),
  -- A part of names of secrets and environment variables.
  constraint alert_target_name_check check (name ~ '^[a-z][a-z0-9_]{0,30}$'),
  constraint alert_target_kind_check check (kind in ('slack', 'webhook', 'heartbeat')),
  constraint alert_target_min_severity_check check (min_severity in ('critical', 'warning'))
);

alter table agg.alert_target enable row level security;

create policy service_role_reads on agg.alert_target for select to service_role using (true);
