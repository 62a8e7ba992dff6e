comment on table agg.change_note is
  'What statements changed in data_bars, until a dispatcher reads it: the n-th symbol changed in [n-th from_utc, n-th to_utc). Written in the transaction of the change: a row a statement, or one for every 1,000 runs of minutes.';
comment on column agg.change_note.symbols is 'Null: every symbol.';
comment on column agg.change_note.to_utc is 'Null: each span is the one minute that starts at its from_utc.';
comment on column agg.change_note.is_built is
  'The builder of a synthetic series wrote these minutes itself: the task of the series need not look at them again.';
comment on column agg.change_note.is_folded is 'Made of other notes, which no dispatcher had read for ten minutes.';

create table agg.change_note (
  note_id bigint generated always as identity,
  changed_at timestamptz not null default now(),
  symbols text[],
  from_utc timestamptz[] not null,
  to_utc timestamptz[],
  is_built boolean not null default false,
  is_folded boolean not null default false,
  constraint change_note_pkey primary key (note_id),
  constraint change_note_spans_check check (
    cardinality(from_utc) = case when symbols is null then 1 else cardinality(symbols) end
    and cardinality(from_utc) = coalesce(cardinality(to_utc), cardinality(from_utc))
  )
-- Compressing a note of a hundred rows would cost more than half of what the note costs.
) with (toast_tuple_target = 8160);

alter table agg.change_note enable row level security;

create policy service_role_reads on agg.change_note for select to service_role using (true);
