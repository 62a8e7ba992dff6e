comment on view agg.computed_series is
  'Symbols of the registry that are computed from other series (metadata.is_synthetic) and take no bars from outside, with the reason in words.';

create view agg.computed_series with (security_invoker = true) as
select
  r.canonical_symbol,
  format('%s is computed from other series (metadata.is_synthetic) and takes no bars from outside', r.canonical_symbol) as problem
from public.core_asset_registry_all as r
-- The condition of the index core_asset_registry_all_synthetic_idx.
where r.metadata -> 'is_synthetic' = 'true';
