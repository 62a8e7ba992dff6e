comment on function agg.read_bars is
  'Reads bars out of JSON, with the places that they have among those of the caller. Where a value cannot be read, by halves, until only the bad ones are refused.';

create function agg.read_bars(p_bars jsonb[], p_indexes integer[], out bars agg.input_bar[], out refused agg.rejected_bar[])
returns record
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_half constant integer := cardinality(p_bars) / 2;
  v_first record;
  v_second record;
begin
  bars := array(
    select row(
      i.index, g.canonical_symbol, coalesce(g.timeframe, '1m'), g.ts_utc, g.open, g.high, g.low, g.close, g.vol, g.vwap, g.trade_count,
      coalesce(g.is_partial, false), coalesce(g.source, 'ingest'), coalesce(g.raw, '{}')
    )::agg.input_bar
    from unnest(p_bars, p_indexes) as i (bar, index)
    cross join lateral jsonb_to_record(i.bar) as g (
      canonical_symbol text, timeframe text, ts_utc timestamptz,
      open double precision, high double precision, low double precision, close double precision,
      vol double precision, vwap double precision, trade_count bigint, is_partial boolean, source text, raw jsonb
    )
  );
  refused := '{}';
exception when data_exception then
  if v_half = 0 then
    bars := '{}';
    refused := array[row(p_indexes[1], sqlstate, null, regexp_replace(sqlerrm, '"([^"]{40})[^"]+"', '"\1..."'))::agg.rejected_bar];
    return;
  end if;
  v_first := agg.read_bars(p_bars[:v_half], p_indexes[:v_half]);
  v_second := agg.read_bars(p_bars[v_half + 1:], p_indexes[v_half + 1:]);
  bars := v_first.bars || v_second.bars;
  refused := v_first.refused || v_second.refused;
end;
$$;
