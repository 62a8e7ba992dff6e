comment on table agg.audit is
  'How far agg_maintain has verified the history of each asset that has tasks to run: newest bars first, then round and round. Times are those of the clock that agg_maintain was given.';
comment on column agg.audit.next_utc is 'The round under way has verified the bars from here on. Null: no round is under way.';
comment on column agg.audit.round_started_at is 'When the round under way began, or the last one.';
comment on column agg.audit.verified_since is 'When the last complete round began: every bar has been verified since. Null: no round is complete.';
comment on column agg.audit.audited_at is 'When its last slice was verified. The next is one of the asset that has waited longest.';
comment on column agg.audit.wrong_timeframes is 'Timeframes in which the round under way has found wrong bars.';
comment on column agg.audit.error is 'Why its last slice could not be verified.';

create table agg.audit (
  canonical_symbol text not null,
  added_at timestamptz not null,
  audited_at timestamptz not null default '-infinity',
  next_utc timestamptz,
  round_started_at timestamptz,
  verified_since timestamptz,
  wrong_timeframes text[] not null default '{}',
  error text,
  constraint audit_pkey primary key (canonical_symbol)
);

alter table agg.audit enable row level security;

create policy service_role_reads on agg.audit for select to service_role using (true);
