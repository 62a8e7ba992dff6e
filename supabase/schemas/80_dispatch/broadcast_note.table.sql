comment on table agg.broadcast_note is
  'Bars that statements changed and that no message has had yet: the n-th symbol and the n-th start. Written in the transaction of the change, so that no bar is missed, however late that commits. Empty where nothing is broadcast.';

create table agg.broadcast_note (
  note_id bigint generated always as identity,
  timeframe text not null,
  symbols text[] not null,
  starts_utc timestamptz[] not null,
  constraint broadcast_note_pkey primary key (note_id),
  constraint broadcast_note_bars_check check (cardinality(symbols) = cardinality(starts_utc))
);

alter table agg.broadcast_note enable row level security;

create policy service_role_reads on agg.broadcast_note for select to service_role using (true);
