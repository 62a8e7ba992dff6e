comment on table public.derived_data_bars_revision is
  'What rows of derived_data_bars were before they changed, written by a trigger. A bar was stored so from written_at up to replaced_at. Both are the time at which the transaction that wrote began: a reader saw the change when that committed. A first build writes no revision. Kept for 400 days, or as metadata.agg.revisions says.';
comment on column public.derived_data_bars_revision.written_at is 'updated_at of the bar.';
comment on column public.derived_data_bars_revision.replaced_at is 'updated_at of what came after it; where the row was deleted, when.';
comment on column public.derived_data_bars_revision.deleted_at is 'Not null: there was no bar.';
comment on column public.derived_data_bars_revision.reason is
  'late_minutes: the bar after it covers more minutes; lost_minutes: fewer; changed_minutes: as many, with other values; new_rules: the registry says something else of the same minutes; by_hand: another writer than the builder changed the row; deleted: the row was deleted.';
comment on constraint derived_data_bars_revision_span_check on public.derived_data_bars_revision is 'written_at must be before replaced_at.';

create table public.derived_data_bars_revision (
  canonical_symbol text not null,
  timeframe text not null,
  ts_utc timestamptz not null,
  replaced_at timestamptz not null,
  written_at timestamptz not null,
  deleted_at timestamptz,
  open double precision not null,
  high double precision not null,
  low double precision not null,
  close double precision not null,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  covered_minutes integer not null,
  expected_minutes integer not null,
  quality_score smallint,
  is_partial boolean not null,
  reason text not null,
  constraint derived_data_bars_revision_pkey primary key (canonical_symbol, timeframe, ts_utc, replaced_at),
  constraint derived_data_bars_revision_span_check check (written_at < replaced_at),
  constraint derived_data_bars_revision_reason_check check (
    reason in ('late_minutes', 'lost_minutes', 'changed_minutes', 'new_rules', 'by_hand', 'deleted')
  )
);

-- For agg_changes and for pruning. Written in order, and a transaction writes one value.
create index derived_data_bars_revision_replaced_idx on public.derived_data_bars_revision (replaced_at);

alter table public.derived_data_bars_revision enable row level security;

create policy service_role_reads on public.derived_data_bars_revision for select to service_role using (true);
