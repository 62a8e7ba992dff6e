comment on view agg.synthetic_component is
  'The baskets of the registry, a row for each component. weight and formula_base are null where the registry holds no number.';

create view agg.synthetic_component with (security_invoker = true) as
select
  b.canonical_symbol,
  k.component_no,
  k.component,
  case jsonb_typeof(b.component_weights -> k.component)
    when 'number' then (b.component_weights ->> k.component)::double precision
  end as weight,
  jsonb_array_length(c.components) as component_count,
  case jsonb_typeof(b.formula_base) when 'number' then (b.formula_base #>> '{}')::double precision end as formula_base,
  case b.derivation_version when '2' then 2 else 1 end as derivation_version
from agg.basket as b
cross join lateral (
  select case jsonb_typeof(b.components) when 'array' then b.components else '[]' end
) as c (components)
cross join lateral jsonb_array_elements_text(c.components) with ordinality as k (component, component_no);
