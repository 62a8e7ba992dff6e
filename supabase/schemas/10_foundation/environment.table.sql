comment on table agg.environment is
  'The environment that this database works for, and how many dispatchers do so: one row, set by schedule_jobs. Changes of the registry take effect in it.';
comment on column agg.environment.lanes is 'How many dispatch jobs share the work.';

create table agg.environment (
  is_only boolean not null default true,
  env text not null default 'prod',
  lanes smallint not null default 1,
  constraint environment_pkey primary key (is_only),
  constraint environment_is_only_check check (is_only),
  constraint environment_lanes_check check (lanes between 1 and 4)
);

insert into agg.environment default values;

alter table agg.environment enable row level security;

create policy service_role_reads on agg.environment for select to service_role using (true);
