comment on table agg.correction is
  'Spans in which a task has to build decided windows again. To add a row needs no lock; to remove one needs the row lock of the task.';
comment on column agg.correction.failures is 'Failures in a row; error is the last one.';
comment on column agg.correction.is_backfill is 'History: built when no task is due and no other correction waits.';
comment on column agg.correction.retry_at is 'Not tried before this instant, on the dispatcher''s clock.';

create table agg.correction (
  canonical_symbol text not null,
  timeframe text not null,
  correction_id bigint generated always as identity,
  spans tstzmultirange not null,
  changed_at timestamptz not null,
  failures integer not null default 0,
  retry_at timestamptz not null default '-infinity',
  error text,
  is_backfill boolean not null default false,
  constraint correction_pkey primary key (canonical_symbol, timeframe, correction_id),
  constraint correction_spans_not_empty check (not isempty(spans))
);

alter table agg.correction enable row level security;

create policy service_role_reads on agg.correction for select to service_role using (true);
