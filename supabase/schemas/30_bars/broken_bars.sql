comment on function agg.broken_bars is
  'The bars that break a rule of agg.bar_rules, each with the first one. Empty where a check raises an error of its own.';

create function agg.broken_bars(p_bars agg.input_bar[])
returns setof agg.rejected_bar
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query execute format(
    $sql$
      select distinct on (b.index) b.index, r.code, r.constraint_name,
        case
          when r.constraint_name in ('data_bars_high_covers', 'data_bars_low_covers')
            and (b.high >= e.top or agg.is_rounding_error(b.high, e.top))
            and (b.low <= e.bottom or agg.is_rounding_error(b.low, e.bottom))
          then r.problem || ' It is by rounding only (at most 1e-9 of the price): p_clamp => true widens high and low.'
          else r.problem
        end
      from unnest($1) as b
      cross join lateral (values %s) as r (nr, is_broken, code, constraint_name, problem)
      cross join lateral (select greatest(b.open, b.close), least(b.open, b.close)) as e (top, bottom)
      where r.is_broken
      order by b.index, r.nr
    $sql$,
    agg.bar_rules()
  ) using p_bars;
exception when data_exception then
  return;
end;
$$;
