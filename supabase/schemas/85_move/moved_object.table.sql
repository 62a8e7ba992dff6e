comment on table agg.moved_object is
  'What else the move of an older deployment has touched: what was set aside, and what read or fed it. Empty where none is set aside.';
comment on column agg.moved_object.parent is 'The table that the object belongs to, or the number of a job.';
comment on column agg.moved_object.definition is 'The statement that makes the object anew. Run before undo_move it goes by the new tables, in it by the old ones.';

create table agg.moved_object (
  moved_object_id integer generated always as identity,
  kind text not null,
  parent text,
  name text not null,
  definition text,
  is_taken_over boolean not null,
  explanation text not null,
  constraint moved_object_pkey primary key (moved_object_id),
  constraint moved_object_kind_check check (kind in (
    'table', 'view', 'materialized view', 'foreign table', 'function', 'reading view', 'foreign key', 'publication', 'trigger', 'reader',
    'job', 'asset', 'bars of'
  ))
);

alter table agg.moved_object enable row level security;

create policy service_role_reads on agg.moved_object for select to service_role using (true);
