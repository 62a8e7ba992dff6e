comment on view agg.wanted_timeframe is
  'The timeframes that the metadata of each asset ask for, active or not, good or bad; none where metadata.agg.enabled is false.';

create view agg.wanted_timeframe with (security_invoker = true) as
select
  r.canonical_symbol, t.timeframe, t.duration,
  coalesce(t.source_timeframe, t.timeframe) as source_timeframe,
  t.source_timeframe is null as is_synthetic,
  t.source_timeframe is null or t.is_mandatory or coalesce(r.metadata -> 'agg' -> 'mandatory' ? t.timeframe, false)
    as is_mandatory
from public.core_asset_registry_all as r
join agg.timeframe as t
  on t.is_mandatory
  or (t.source_timeframe is null and r.metadata -> 'is_synthetic' = 'true')
  or r.metadata -> 'agg' -> 'mandatory' ? t.timeframe
  or r.metadata -> 'agg' -> 'optional' ? t.timeframe
where r.metadata -> 'agg' -> 'enabled' is distinct from 'false';
