comment on function agg.unregistered_symbols is
  'Symbols with bars of the day up to p_now that neither the registry nor a basket of it has: nothing is built of them.';

create function agg.unregistered_symbols(p_now timestamptz)
returns table (canonical_symbol text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  -- From symbol to symbol, one probe of the key for each.
  with recursive symbol as (
    (select b.canonical_symbol as name from public.data_bars as b order by b.canonical_symbol limit 1)
    union all
    select n.name
    from symbol as s
    cross join lateral (
      select b.canonical_symbol as name from public.data_bars as b where b.canonical_symbol > s.name order by b.canonical_symbol limit 1
    ) as n
  )
  select s.name
  from symbol as s
  where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.name)
    and exists (
      select from public.data_bars as b
      where b.canonical_symbol = s.name and b.timeframe = '1m' and b.ts_utc > p_now - interval '1 day' and b.ts_utc <= p_now
    )
    and s.name not in (select k.component from agg.synthetic_component as k);
$$;
