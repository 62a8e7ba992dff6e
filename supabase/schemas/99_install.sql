-- What an installation does once, after everything is there.
insert into public.core_asset_registry_all as r (canonical_symbol, asset_class, description, active, test_active, metadata)
values (
  'DXY',
  'currency_index',
  'US Dollar Index, a synthetic series derived from six FX pairs; not an official print',
  true,
  true,
  '{
    "is_synthetic": true,
    "components": ["EURUSD", "USDJPY", "GBPUSD", "USDCAD", "USDSEK", "USDCHF"],
    "component_weights": {
      "EURUSD": -0.576, "USDJPY": 0.136, "GBPUSD": -0.119, "USDCAD": 0.091, "USDSEK": 0.042, "USDCHF": 0.036
    },
    "formula_base": 50.14348112,
    "derivation_version": 1
  }'
)
on conflict (canonical_symbol) do update set
  description = excluded.description,
  metadata = r.metadata || excluded.metadata,
  updated_at = now();

-- Calendars that are there already stay as they are.
with made as (
  insert into agg.calendar (name, time_zone, day_start)
  values ('XNYS', 'America/New_York', '00:00'), ('FX', 'America/New_York', '17:00')
  on conflict (name) do nothing
  returning name
)
insert into agg.calendar_day (calendar, day, kind, closes_at)
select m.name, d.day, d.kind, d.closes_at
from made as m
cross join lateral (
  select x.day, x.kind, x.closes_at from agg.xnys_days(2000, 2040) as x where m.name = 'XNYS'
  union all
  select x.day, 'closed', null from agg.fx_days(2000, 2040) as x (day) where m.name = 'FX'
) as d;

-- On Supabase pg_cron is available. Elsewhere it may be missing, or belong to another database.
do $$
begin
  if exists (select from pg_catalog.pg_available_extensions as a where a.name = 'pg_cron' and a.installed_version is null) then
    -- Its tables are in the schema cron; without this the extension itself would be in public.
    create extension pg_cron with schema pg_catalog;
  end if;
exception when others then
  raise notice 'pg_cron could not be enabled: %', sqlerrm;
end;
$$;

select public.schedule_jobs();

select public.sync_agg_state_from_registry();
