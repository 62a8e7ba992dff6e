comment on function agg.circle_problem is
  'Says that a basket holds itself, directly or through other baskets, so that each build would cause the next. Null for one that does not.';

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
