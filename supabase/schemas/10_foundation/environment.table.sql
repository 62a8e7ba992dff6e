comment on table agg.environment is
  'The environment that this database works for: one row, set by schedule_jobs. Changes of the registry take effect in it.';

create table agg.environment (
  is_only boolean not null default true,
  env text not null default 'prod',
  constraint environment_pkey primary key (is_only),
  constraint environment_is_only_check check (is_only)
);

insert into agg.environment default values;

alter table agg.environment enable row level security;

create policy service_role_reads on agg.environment for select to service_role using (true);
