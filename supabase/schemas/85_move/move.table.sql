comment on table agg.move is
  'One row while an older deployment is set aside in the schema pgbars_before: when it was moved. Minutes that another transaction has written are younger than the move.';

create table agg.move (
  is_only boolean not null default true,
  moved_at timestamptz not null,
  moved_xid xid not null,
  constraint move_pkey primary key (is_only),
  constraint move_is_only_check check (is_only)
);

alter table agg.move enable row level security;

create policy service_role_reads on agg.move for select to service_role using (true);
