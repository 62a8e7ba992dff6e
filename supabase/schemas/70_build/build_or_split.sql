comment on function agg.build_or_split is
  'agg.build_bars, and where that raises, each half on its own, down to single orders, and an order of all its windows that fails hard is halved in time as well, p_time_splits times: what is bad fails alone, or with few neighbours, after as many tries as their number has binary digits, and comes back with its error.';

create function agg.build_or_split(p_requests agg.build_request[], p_time_splits integer default 8)
returns setof agg.build_result
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_requests) / 2;
  v_request constant agg.build_request := p_requests[1];
  v_results agg.build_result[];
  v_lock_waits integer;
  v_fail_kind text;
  v_error text;
  v_middle_utc timestamptz;
begin
  begin
    v_results := array(select r from agg.build_bars(p_requests) as r);
  exception when others then
    v_fail_kind := agg.fail_kind(sqlstate);
    v_error := format('%s (%s)', sqlerrm, sqlstate);
    if sqlstate = '55P03' then
      v_lock_waits := coalesce(nullif(current_setting('pgbars.lock_waits', true), ''), '0')::integer + 1;
      perform set_config('pgbars.lock_waits', v_lock_waits::text, true);
      -- The patience of a batch is for the first wait; the others only find out which bars are held.
      perform set_config('lock_timeout', '10ms', true);
      if v_lock_waits > 500 then
        raise exception 'somebody holds a table, or too many bars, for longer than the dispatcher waits'
          using errcode = 'lock_not_available',
            hint = 'select * from pg_locks where not granted; shows who waits for what. The next run tries again.';
      end if;
    end if;
  end;

  if v_error is null then
    return query select r.* from unnest(v_results) as r;
  elsif v_half > 0 then
    return query
    select r.* from agg.build_or_split(p_requests[:v_half], p_time_splits) as r
    union all
    select r.* from agg.build_or_split(p_requests[v_half + 1:], p_time_splits) as r;
  elsif v_request.max_windows is null and v_fail_kind = 'hard' and p_time_splits > 0
    and v_request.to_utc > v_request.from_utc + v_request.window_length
  then
    v_middle_utc := date_bin(
      v_request.window_length, v_request.from_utc + (v_request.to_utc - v_request.from_utc) / 2, timestamptz '2000-01-01 00:00:00+00'
    );
    p_requests := p_requests || p_requests;
    p_requests[1].to_utc := v_middle_utc;
    p_requests[2].from_utc := v_middle_utc;
    return query select r.* from agg.build_or_split(p_requests, p_time_splits - 1) as r;
  else
    return query
    select
      v_request.canonical_symbol, v_request.timeframe, v_request.window_length, v_request.from_utc, v_request.to_utc,
      v_request.frontier_utc, 0, 0, 0, 0, 0, 0, false, v_request.from_utc, v_request.is_rebuild, v_fail_kind, v_error;
  end if;
end;
$$;
