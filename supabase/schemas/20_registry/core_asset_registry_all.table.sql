comment on table public.core_asset_registry_all is
  'Every asset. sync_agg_state_from_registry turns active assets into tasks; metadata.agg configures them, metadata.components makes an asset synthetic.';
comment on column public.core_asset_registry_all.active is 'Aggregated in every environment but DEV and TEST.';
comment on column public.core_asset_registry_all.test_active is 'Aggregated in the environments DEV and TEST.';
comment on column public.core_asset_registry_all.is_active is 'The same as active, under the name that one of the documents uses.';
comment on column public.core_asset_registry_all.metadata is
  'metadata.agg: enabled, start_utc, mandatory, optional, session, calendar, day_close, quality, sparse, keep, revisions, max_silence. Synthetic series: is_synthetic, components, component_weights, formula_base, derivation_version; derivation_method calc_dxy_range_1m implies the last four.';
comment on constraint core_asset_registry_all_symbol_check on public.core_asset_registry_all is
  'canonical_symbol must have 1 to 200 characters, no control characters and no spaces around it.';
comment on constraint core_asset_registry_all_metadata_is_object on public.core_asset_registry_all is 'metadata must be a JSON object.';

create table public.core_asset_registry_all (
  canonical_symbol text not null,
  asset_class text,
  description text,
  active boolean not null default false,
  test_active boolean not null default false,
  is_active boolean generated always as (active) stored,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint core_asset_registry_all_pkey primary key (canonical_symbol),
  constraint core_asset_registry_all_symbol_check check (
    length(canonical_symbol) between 1 and 200 and canonical_symbol = btrim(canonical_symbol) and canonical_symbol !~ '[[:cntrl:]]'
  ),
  constraint core_asset_registry_all_metadata_is_object check (jsonb_typeof(metadata) = 'object')
);

-- Every insert of bars asks which series are computed.
create index core_asset_registry_all_synthetic_idx on public.core_asset_registry_all (canonical_symbol)
where metadata -> 'is_synthetic' = 'true';

alter table public.core_asset_registry_all enable row level security;

create policy service_role_writes on public.core_asset_registry_all for all to service_role using (true) with check (true);
