comment on table agg.broadcast is 'The timeframes whose bars go out by Realtime broadcast: set by enable_broadcast.';
comment on column agg.broadcast.revision is 'The number of the last message. A reader that misses one has missed bars.';

create table agg.broadcast (
  timeframe text not null,
  revision bigint not null default 0,
  constraint broadcast_pkey primary key (timeframe)
);

alter table agg.broadcast enable row level security;

create policy service_role_reads on agg.broadcast for select to service_role using (true);
