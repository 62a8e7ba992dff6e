comment on function agg.unregistered_symbols is
  'Symbols with bars of the day up to p_now that neither the registry nor a basket of it has: nothing is built of them.';

create function agg.unregistered_symbols(p_now timestamptz)
returns table (canonical_symbol text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select s.canonical_symbol
  from agg.bar_symbol as s
  where not exists (select from public.core_asset_registry_all as r where r.canonical_symbol = s.canonical_symbol)
    and exists (
      select from public.data_bars as b
      where b.canonical_symbol = s.canonical_symbol and b.timeframe = '1m' and b.ts_utc > p_now - interval '1 day' and b.ts_utc <= p_now
    )
    and s.canonical_symbol not in (select k.component from agg.synthetic_component as k);
$$;
