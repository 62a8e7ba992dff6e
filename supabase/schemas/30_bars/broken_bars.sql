comment on function agg.broken_bars is
  'The bars that break a check of data_bars, or lack a value that it needs, each with the first one by name.';

create function agg.broken_bars(p_bars agg.input_bar[])
returns setof agg.rejected_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $sql$
      select distinct on (b.index) b.index, r.code, r.constraint_name, r.problem
      from unnest($1) as b
      cross join lateral (values %s) as r (is_broken, code, constraint_name, problem)
      where r.is_broken
      order by b.index
    $sql$,
    agg.bar_rules()
  ) using p_bars;
end;
$$;
