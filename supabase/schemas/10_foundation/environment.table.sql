comment on table agg.environment is
  'The environment that this database works for, how many dispatchers do so, and whether they pause: one row, set by schedule_jobs and agg_pause. Changes of the registry take effect in it. Of this database alone: no publication may hold the table.';
comment on column agg.environment.lanes is 'How many dispatch jobs share the work.';
comment on column agg.environment.paused_until is 'The end of the pause, or of the last one; infinity: until agg_resume. Null: there was none.';
comment on column agg.environment.has_foreign_tasks is
  'Tasks of another environment may be enabled: by a sync for it since the last sync of all assets for this one.';
comment on column agg.environment.audit_percent is 'The share of one processor, in percent, that agg_maintain spends on verifying history. 0: none.';

create table agg.environment (
  is_only boolean not null default true,
  env text not null default 'prod',
  lanes smallint not null default 1,
  paused_until timestamptz,
  paused_by text,
  paused_reason text,
  audit_percent smallint not null default 5,
  has_foreign_tasks boolean not null default false,
  constraint environment_pkey primary key (is_only),
  constraint environment_is_only_check check (is_only),
  constraint environment_lanes_check check (lanes between 1 and 4),
  constraint environment_pause_check check (num_nulls(paused_until, paused_by, paused_reason) in (0, 3)),
  -- Ten percent of five minutes is half of what agg_maintain may take.
  constraint environment_audit_percent_check check (audit_percent between 0 and 10)
);

insert into agg.environment default values;

alter table agg.environment enable row level security;

create policy service_role_reads on agg.environment for select to service_role using (true);
