comment on function agg.remove_old_bars is
'Deletes up to p_limit bars that lie behind their floors, and returns how many. Leaves no change note: the floor says why they are gone, and no task starts behind it.';

create function agg.remove_old_bars(p_limit integer)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Every access is by a key, whatever the planner assumes about the size of the tables.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
  v_floor agg.floor;
  v_left integer := p_limit;
  v_rows integer;
begin
  perform set_config('pgbars.is_building', 'removing', true);
  for v_floor in select f.* from agg.floor as f order by f.canonical_symbol, f.timeframe loop
    exit when v_left <= 0;
    if v_floor.timeframe = '1m' then
      delete from public.data_bars as b
      where b.canonical_symbol = v_floor.canonical_symbol and b.timeframe = '1m' and b.ts_utc < v_floor.floor_utc
        and b.ts_utc <= (
          select max(o.ts_utc)
          from (
            select d.ts_utc
            from public.data_bars as d
            where d.canonical_symbol = v_floor.canonical_symbol and d.timeframe = '1m' and d.ts_utc < v_floor.floor_utc
            order by d.ts_utc
            limit v_left
          ) as o
        );
    else
      delete from public.derived_data_bars as b
      where b.canonical_symbol = v_floor.canonical_symbol and b.timeframe = v_floor.timeframe and b.ts_utc < v_floor.floor_utc
        and b.ts_utc <= (
          select max(o.ts_utc)
          from (
            select d.ts_utc
            from public.derived_data_bars as d
            where d.canonical_symbol = v_floor.canonical_symbol and d.timeframe = v_floor.timeframe and d.ts_utc < v_floor.floor_utc
            order by d.ts_utc
            limit v_left
          ) as o
        );
    end if;
    get diagnostics v_rows = row_count;
    v_left := v_left - v_rows;
  end loop;
  perform set_config('pgbars.is_building', 'off', true);
  return p_limit - v_left;
end;
$$;
