comment on view agg.basket is
  'The baskets of the registry, good or bad, with what metadata.derivation_method implies where metadata say nothing.';

create view agg.basket with (security_invoker = true) as
select
  r.canonical_symbol,
  m.metadata -> 'components' as components,
  m.metadata -> 'component_weights' as component_weights,
  m.metadata -> 'formula_base' as formula_base,
  coalesce(m.metadata -> 'derivation_version', '1') as derivation_version
from public.core_asset_registry_all as r
cross join lateral (
  select coalesce(agg.implied_basket(r.metadata ->> 'derivation_method'), '{}') || r.metadata
  -- Once an asset, not once a column.
  offset 0
) as m (metadata)
where r.metadata -> 'is_synthetic' = 'true';
