comment on table agg.revision_floor is
  'From when on revisions of the bars of a symbol are whole, where metadata.agg.revisions once kept them for a shorter time, or not at all. What the setting of today lets go comes on top. Raised and never lowered, also while the registry does not have the symbol.';

create table agg.revision_floor (
  canonical_symbol text not null,
  floor_utc timestamptz not null,
  constraint revision_floor_pkey primary key (canonical_symbol)
);

alter table agg.revision_floor enable row level security;

create policy service_role_reads on agg.revision_floor for select to service_role using (true);
