comment on view agg.synthetic_component is
  'The baskets of the registry, a row a component. weight and formula_base are null where the registry holds no number.';

create view agg.synthetic_component with (security_invoker = true) as
select
  r.canonical_symbol,
  k.component_no,
  k.component,
  case jsonb_typeof(r.metadata -> 'component_weights' -> k.component)
    when 'number' then (r.metadata -> 'component_weights' ->> k.component)::double precision
  end as weight,
  jsonb_array_length(b.components) as component_count,
  case jsonb_typeof(r.metadata -> 'formula_base')
    when 'number' then (r.metadata ->> 'formula_base')::double precision
  end as formula_base,
  case r.metadata -> 'derivation_version' when '2' then 2 else 1 end as derivation_version
from public.core_asset_registry_all as r
cross join lateral (
  select case jsonb_typeof(r.metadata -> 'components') when 'array' then r.metadata -> 'components' else '[]' end
) as b (components)
cross join lateral jsonb_array_elements_text(b.components) with ordinality as k (component, component_no)
where r.metadata ->> 'is_synthetic' = 'true';
