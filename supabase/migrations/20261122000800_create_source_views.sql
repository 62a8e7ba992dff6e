create view agg.source_bar with (security_invoker = true) as
select
  d.canonical_symbol, d.timeframe, d.ts_utc,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  1 as covered_minutes, null::timestamptz as deleted_at
from public.data_bars as d
union all
select
  d.canonical_symbol, d.timeframe, d.ts_utc,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
  d.covered_minutes, d.deleted_at
from public.derived_data_bars as d;

comment on view agg.source_bar is
  'Bars of any timeframe: 1m from data_bars, all longer from derived_data_bars. Ask for deleted_at is null: that condition is not in here because both halves must stay plain for their keys to give ordered ranges. The half that cannot match costs one index descent.';

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

comment on view agg.synthetic_component is
  'The baskets of the registry, a row a component. weight and formula_base are null where the registry holds no number.';

create function agg.circle_problem(p_symbol text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive walk as (
    select k.component from agg.synthetic_component as k where k.canonical_symbol = p_symbol
    union
    select k.component from walk as w join agg.synthetic_component as k on k.canonical_symbol = w.component
  )
  select format('components lead back to %s itself', p_symbol) from walk as w where w.component = p_symbol;
$$;

revoke execute on function agg.circle_problem(text) from public, anon, authenticated, service_role;
comment on function agg.circle_problem(text) is
  'Says so where a basket holds itself, directly or through other baskets: each build would be the reason for the next. Otherwise null.';

revoke all on table agg.source_bar, agg.synthetic_component from public, anon, authenticated, service_role;
grant select on table agg.source_bar, agg.synthetic_component to service_role;
