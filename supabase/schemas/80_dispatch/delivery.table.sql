comment on table agg.delivery is
  'What was sent, or is to be sent: a row an alert, target and event. Deleted with its alert.';
comment on column agg.delivery.message_id is 'The same at each try, so that a receiver knows a message that it has already.';
comment on column agg.delivery.next_try_at is 'It is not sent before. A claim puts it off, so that no other call sends it meanwhile.';
comment on column agg.delivery.delivered_at is 'When the target took it. Null: it waits, or was given up three days after created_at.';

create table agg.delivery (
  message_id uuid not null default gen_random_uuid(),
  target text not null,
  alert_id bigint not null,
  event text not null,
  created_at timestamptz not null,
  tries integer not null default 0,
  next_try_at timestamptz not null,
  delivered_at timestamptz,
  error text,
  constraint delivery_pkey primary key (message_id),
  constraint delivery_target_key unique (target, alert_id, event),
  constraint delivery_target_fkey foreign key (target) references agg.alert_target (name) on delete cascade,
  constraint delivery_event_check check (event in ('opened', 'resolved'))
);

create index delivery_waiting_idx on agg.delivery (target, created_at) where delivered_at is null;

alter table agg.delivery enable row level security;

create policy service_role_reads on agg.delivery for select to service_role using (true);
