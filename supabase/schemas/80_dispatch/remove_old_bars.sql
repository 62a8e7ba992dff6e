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
  v_table text;
  v_left integer := p_limit;
  v_rows integer;
begin
  perform set_config('pgbars.is_building', 'removing', true);
  perform set_config('pgbars.keeps_deleted', 'off', true);
  foreach v_table in array array['data_bars', 'derived_data_bars', 'derived_data_bars_revision'] loop
    execute format(
      $sql$
        delete from public.%1$I as b
        using (
          select a.canonical_symbol, a.timeframe, max(a.ts_utc) as last_utc
          from (
            select f.canonical_symbol, f.timeframe, o.ts_utc
            from agg.floor as f
            cross join lateral (
              select d.ts_utc
              from public.%1$I as d
              where d.canonical_symbol = f.canonical_symbol and d.timeframe = f.timeframe and d.ts_utc < f.floor_utc
              order by d.ts_utc
              limit $1
            ) as o
            limit $1
          ) as a
          group by a.canonical_symbol, a.timeframe
        ) as o
        where b.canonical_symbol = o.canonical_symbol and b.timeframe = o.timeframe and b.ts_utc <= o.last_utc
      $sql$,
      v_table
    ) using v_left;
    get diagnostics v_rows = row_count;
    v_left := greatest(0, v_left - v_rows);
  end loop;
  perform set_config('pgbars.is_building', 'off', true);
  perform set_config('pgbars.keeps_deleted', 'on', true);
  return p_limit - v_left;
end;
$$;
