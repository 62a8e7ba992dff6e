comment on function agg.find_differences is
'Says how what is stored differs from what requests make. A task that cannot be computed is listed as failed, and the others go on.';

create function agg.find_differences(p_requests agg.build_request[])
returns setof agg.difference
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
  v_half constant integer := cardinality(p_requests) / 2;
  v_request constant agg.build_request := p_requests[1];
  v_first agg.build_request := p_requests[1];
  v_second agg.build_request := p_requests[1];
  v_symbols constant integer := cardinality(v_request.symbols) / 2;
  v_differences agg.difference[];
  v_error text;
begin
  begin
    v_differences := array(
      select row(
        w.canonical_symbol, w.timeframe, w.ts_utc, case when w.was_bar and w.quality_score is null then 'remove' else w.change end, to_jsonb(d),
        to_jsonb(w) - array['request_no', 'canonical_symbol', 'timeframe', 'ts_utc', 'change', 'was_bar']
      )::agg.difference
      from agg.compare_windows(p_requests) as w
      left join public.derived_data_bars as d
        on d.canonical_symbol = w.canonical_symbol and d.timeframe = w.timeframe and d.ts_utc = w.ts_utc
        -- A row that is no bar says nothing where there should be one.
        and (w.was_bar or w.quality_score is null)
      where w.change is not null
      union all
      select row(
        m.canonical_symbol, m.timeframe, m.ts_utc, m.change, to_jsonb(d),
        jsonb_build_object(
          'open', m.open, 'high', m.high, 'low', m.low, 'close', m.close, 'vol', 0, 'vwap', null, 'trade_count', 0,
          'is_partial', false, 'source', 'synthetic', 'raw', m.raw
        )
      )::agg.difference
      from agg.compare_synthetic(p_requests) as m
      left join public.data_bars as d
        on d.canonical_symbol = m.canonical_symbol and d.timeframe = m.timeframe and d.ts_utc = m.ts_utc
      where m.change is not null
    );
  exception when others then
    v_error := format('%s (%s)', sqlerrm, sqlstate);
  end;

  if v_error is null then
    return query select d.* from unnest(v_differences) as d;
  elsif v_half > 0 then
    return query
    select d.* from agg.find_differences(p_requests[:v_half]) as d
    union all
    select d.* from agg.find_differences(p_requests[v_half + 1:]) as d;
  elsif v_symbols > 0 then
    v_first.symbols := v_first.symbols[:v_symbols];
    v_second.symbols := v_second.symbols[v_symbols + 1:];
    return query
    select d.* from agg.find_differences(array[v_first]) as d
    union all
    select d.* from agg.find_differences(array[v_second]) as d;
  else
    return query
    select
      v_request.symbols[1], v_request.timeframe, v_request.from_utc, 'failed', null::jsonb,
      jsonb_build_object('error', v_error, 'to_utc', v_request.to_utc);
  end if;
end;
$$;
