comment on function agg.read_bars is
  'Reads bars out of JSON, with their places in the array of the caller. p_clamp widens high and low to cover open and close where the excess is a rounding error. Where a value cannot be read, reads by halves, until only bad bars are refused.';

create function agg.read_bars(
  p_bars jsonb[], p_indexes integer[], p_clamp boolean, out bars agg.input_bar[], out refused agg.rejected_bar[]
)
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
      i.index, g.canonical_symbol, coalesce(g.timeframe, '1m'),
      -- Postgres reads instants of limited length.
      regexp_replace(g.ts_utc, '(\.[0-9]{6})0+', '\1')::timestamptz,
      g.open,
      case when p_clamp and agg.is_rounding_error(g.high, e.top) then greatest(g.high, e.top) else g.high end,
      case when p_clamp and agg.is_rounding_error(g.low, e.bottom) then least(g.low, e.bottom) else g.low end,
      g.close, g.vol, g.vwap, g.trade_count::bigint,
      coalesce(g.is_partial, false), coalesce(g.source, 'ingest'), coalesce(g.raw, '{}')
    )::agg.input_bar
    from unnest(p_bars, p_indexes) as i (bar, index)
    cross join lateral jsonb_to_record(i.bar) as g (
      canonical_symbol text, timeframe text, ts_utc text,
      open double precision, high double precision, low double precision, close double precision,
      vol double precision, vwap double precision, trade_count numeric, is_partial boolean, source text, raw jsonb
    )
    cross join lateral (select greatest(g.open, g.close), least(g.open, g.close)) as e (top, bottom)
  );
  refused := '{}';
exception when data_exception then
  if v_half = 0 then
    bars := '{}';
    refused := array[agg.new_rejected_bar(p_indexes[1], sqlstate, null, regexp_replace(sqlerrm, '"([^"]{40})[^"]+"', '"\1..."'))];
    return;
  end if;
  v_first := agg.read_bars(p_bars[:v_half], p_indexes[:v_half], p_clamp);
  v_second := agg.read_bars(p_bars[v_half + 1:], p_indexes[v_half + 1:], p_clamp);
  bars := v_first.bars || v_second.bars;
  refused := v_first.refused || v_second.refused;
end;
$$;
