comment on function agg.slowest_component is
  'The component of a basket that ends first at p_now, with its last 1m bar (null: it has none); no row for what is not a basket. Where it ends, the series does.';

create function agg.slowest_component(p_symbol text, p_now timestamptz)
returns table (component text, last_utc timestamptz)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select k.component, l.ts_utc
  from agg.synthetic_component as k
  left join lateral (
    select b.ts_utc
    from public.data_bars as b
    where b.canonical_symbol = k.component and b.timeframe = '1m' and b.ts_utc < p_now
    order by b.ts_utc desc
    limit 1
  ) as l on true
  where k.canonical_symbol = p_symbol
  order by l.ts_utc nulls first, k.component_no
  limit 1;
$$;
