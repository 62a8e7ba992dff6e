comment on function agg.active_symbols is 'Symbols of the assets active in p_env.';

create function agg.active_symbols(p_env text)
returns setof text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select a.canonical_symbol from agg.active_asset as a where a.is_test = (select agg.is_test(p_env));
$$;
