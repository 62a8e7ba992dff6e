comment on function agg.remove_old_bars is
'Deletes up to p_limit bars that lie behind their floors, and returns how many. What they were before (derived_data_bars_revision) goes along. Leaves no change note and no revision: the floor says why they are gone, and no task starts behind it.';

create function agg.remove_old_bars(p_limit integer)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_place record;
  v_left integer := p_limit;
  v_rows integer;
begin
  perform set_config('pgbars.is_building', 'removing', true);
  perform set_config('pgbars.keeps_deleted', 'off', true);
  for v_place in
    select f.canonical_symbol, f.timeframe, f.floor_utc, t.name
    from agg.floor as f
    cross join lateral (
      select 'data_bars' where f.timeframe = '1m'
      union all
      select n.name from unnest(array['derived_data_bars', 'derived_data_bars_revision']) as n (name) where f.timeframe <> '1m'
    ) as t (name)
    order by f.canonical_symbol, f.timeframe, t.name
  loop
    exit when v_left <= 0;
    execute format(
      $sql$
        delete from public.%I as b
        where b.canonical_symbol = $1 and b.timeframe = $2 and b.ts_utc < $3 and b.ts_utc <= (
          select max(o.ts_utc)
          from (
            select d.ts_utc
            from public.%I as d
            where d.canonical_symbol = $1 and d.timeframe = $2 and d.ts_utc < $3
            order by d.ts_utc
            limit $4
          ) as o
        )
      $sql$,
      v_place.name, v_place.name
    ) using v_place.canonical_symbol, v_place.timeframe, v_place.floor_utc, v_left;
    get diagnostics v_rows = row_count;
    v_left := v_left - v_rows;
  end loop;
  perform set_config('pgbars.is_building', 'off', true);
  perform set_config('pgbars.keeps_deleted', 'on', true);
  return p_limit - v_left;
end;
$$;
