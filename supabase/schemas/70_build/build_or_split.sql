comment on function agg.build_or_split is
'agg.build_bars; where that raises, each half of the requests on its own, then each half of the symbols of a request, and a symbol that fails hard by halves in time, down to single windows. So what is bad fails alone, and comes back with its error.
Gives up halving in time after 200 failures in a batch: the rest fails as it is, and is halved further when it is tried again.
Raises lock_not_available after 500 waits for locks.';

create function agg.build_or_split(p_requests agg.build_request[])
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_requests) / 2;
  v_first agg.build_request := p_requests[1];
  v_second agg.build_request := p_requests[1];
  v_symbols constant integer := cardinality(v_first.symbols) / 2;
  v_middle_utc timestamptz;
  v_results agg.build_result[];
  v_failed agg.build_result;
  v_sqlstate text;
  v_column text;
begin
  begin
    v_results := array(select r from agg.build_bars(p_requests) as r);
  exception when others then
    get stacked diagnostics v_column = column_name;
    v_sqlstate := sqlstate;
    v_failed.fail_kind := agg.fail_kind(sqlstate);
    v_failed.error := format('%s (%s)', concat_ws(': ', nullif(v_column, ''), sqlerrm), sqlstate);
  end;
  if v_failed.error is null then
    return query select r.* from unnest(v_results) as r;
    return;
  end if;

  if v_sqlstate = '55P03' and agg.count_in_batch('lock_waits') > 500 then
    raise exception 'another session holds a table, or too many bars, for longer than the dispatcher waits'
      using errcode = 'lock_not_available',
        hint = 'select * from pg_locks where not granted; shows which session waits for which. The next run tries again.';
  elsif v_sqlstate = '55P03' then
    -- Wait 500 ms once; then probe with 10 ms to find which bars are locked.
    perform set_config('lock_timeout', '10ms', true);
  end if;

  if v_half > 0 then
    return query
    select r.* from agg.build_or_split(p_requests[:v_half]) as r
    union all
    select r.* from agg.build_or_split(p_requests[v_half + 1:]) as r;
    return;
  end if;

  if v_symbols > 0 then
    v_first.symbols := v_first.symbols[:v_symbols];
    v_second.symbols := v_second.symbols[v_symbols + 1:];
    return query
    select r.* from agg.build_or_split(array[v_first]) as r
    union all
    select r.* from agg.build_or_split(array[v_second]) as r;
    return;
  end if;

  -- At the start of a window, so that each half holds one at least.
  v_middle_utc := agg.window_start(
    v_first.from_utc + (v_first.to_utc - v_first.from_utc) / 2, v_first.window_length, v_first.window_time_zone, v_first.window_origin
  );
  if v_middle_utc = v_first.from_utc then
    v_middle_utc := agg.window_end(v_middle_utc, v_first.window_length, v_first.window_time_zone, v_first.window_origin);
  end if;
  if v_failed.fail_kind = 'hard' and v_middle_utc < v_first.to_utc and agg.count_in_batch('failed_builds') <= 200 then
    v_first.to_utc := v_middle_utc;
    v_second.from_utc := v_middle_utc;
    return query
    select m.*
    from agg.build_or_split(array[v_first]) as a
    cross join agg.build_or_split(array[v_second]) as b
    cross join lateral agg.merge_results(a, b) as m;
    return;
  end if;

  v_failed.symbols := v_first.symbols;
  v_failed.timeframe := v_first.timeframe;
  v_failed.window_length := v_first.window_length;
  v_failed.window_time_zone := v_first.window_time_zone;
  v_failed.window_origin := v_first.window_origin;
  v_failed.from_utc := v_first.from_utc;
  v_failed.to_utc := v_second.to_utc;
  v_failed.windows := 0;
  v_failed.bars := 0;
  v_failed.bars_poor := 0;
  v_failed.inserted := 0;
  v_failed.updated := 0;
  v_failed.removed := 0;
  v_failed.written := 0;
  v_failed.decided_to_utc := v_first.from_utc;
  v_failed.is_rebuild := v_first.is_rebuild;
  v_failed.failed := tstzmultirange(tstzrange(v_first.from_utc, v_second.to_utc));
  v_failed.error := format('[%s, %s): %s', v_first.from_utc, v_second.to_utc, v_failed.error);
  return next v_failed;
end;
$$;
