comment on function agg.fx_days is
  'The trading days on which the foreign exchange market is closed: Christmas Day and New Year, where they are no weekend, for the years from p_first_year to p_last_year. Brokers differ.';

create function agg.fx_days(p_first_year integer, p_last_year integer)
returns setof date
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
  select d.day
  from generate_series(p_first_year, p_last_year) as y (n)
  cross join lateral unnest(array[make_date(y.n, 1, 1), make_date(y.n, 12, 25)]) as d (day)
  where extract(isodow from d.day) <= 5;
$$;
