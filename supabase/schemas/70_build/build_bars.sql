comment on function agg.build_bars is
  'Builds requests, for windows and synthetic minutes alike: the symbols of a request for which the same came of it share a result. What it changes behind a cursor becomes a correction of the tasks that build from it.';

create function agg.build_bars(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_requests agg.build_request[] := p_requests;
  v_results agg.build_result[];
  v_passed_on agg.changed_span[];
begin
  loop
    begin
      v_results := array(
        select r from agg.build_windows(v_requests) as r
        union all
        select r from agg.build_synthetic(v_requests) as r
      );
      exit;
    exception when unique_violation then
      -- Rows are stored where pgbars has built nothing: compare with them.
      if not exists (select from unnest(v_requests) as q where not q.is_rebuild) then
        raise;
      end if;
      for v_no in 1..cardinality(v_requests) loop
        v_requests[v_no].is_rebuild := true;
      end loop;
    end;
  end loop;
  -- No other task has used yet what is built ahead of a cursor; writes to 1m bars leave notes of their own.
  v_passed_on := array(
    select (
      s.canonical_symbol, s.timeframe,
      range_agg(tstzrange(r.from_utc, case when r.removed > 0 then r.to_utc else r.decided_to_utc end)), now(), 0
    )::agg.changed_span
    from unnest(v_results) as r
    cross join lateral unnest(r.symbols) as y (symbol)
    join public.data_agg_state as s
      on s.canonical_symbol = y.symbol and s.source_timeframe = r.timeframe and s.timeframe <> r.timeframe
    where r.is_rebuild and r.timeframe <> '1m' and r.written > 0
    group by s.canonical_symbol, s.timeframe
  );
  if cardinality(v_passed_on) > 0 then
    perform agg.add_corrections(v_passed_on);
  end if;
  return query select r.* from unnest(v_results) as r;
end;
$$;
