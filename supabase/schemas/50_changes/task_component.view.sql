comment on view agg.task_component is
  'The baskets of synthetic tasks as the last sync stored them, a row a component; also while the registry holds a basket that cannot be.';

create view agg.task_component with (security_invoker = true) as
select s.canonical_symbol, k.component
from public.data_agg_state as s
cross join lateral jsonb_array_elements_text(s.basket -> 'components') as k (component)
where s.basket is not null;
