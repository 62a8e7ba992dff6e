comment on table agg.moved_row is
  'What became of the rows of an older deployment when it was moved: how many of which table were taken over, or stayed, and why. Empty where none is set aside.';

create table agg.moved_row (
  moved_row_id integer generated always as identity,
  table_name text not null,
  is_taken_over boolean not null,
  rows bigint not null,
  explanation text not null,
  constraint moved_row_pkey primary key (moved_row_id)
);

alter table agg.moved_row enable row level security;

create policy service_role_reads on agg.moved_row for select to service_role using (true);
