comment on table agg.allowed_silence is
  'For how much open time a series of 1m bars may be silent before the alert no_data: its own longest gap of four weeks, measured once a day.';

create table agg.allowed_silence (
  canonical_symbol text not null,
  silence interval not null,
  measured_at timestamptz not null,
  constraint allowed_silence_pkey primary key (canonical_symbol)
);

alter table agg.allowed_silence enable row level security;

create policy service_role_reads on agg.allowed_silence for select to service_role using (true);
