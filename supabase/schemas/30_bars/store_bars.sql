comment on function agg.store_bars is
  'Stores bars in one statement, locking them in the order of their keys; of bars with one key the last one.';

create function agg.store_bars(p_bars agg.input_bar[], out inserted bigint, out updated bigint, out unchanged bigint)
returns record
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Marks the rows of this statement: an update leaves created_at alone.
  v_at constant timestamptz := clock_timestamp();
begin
  with given as materialized (
    select distinct on (g.canonical_symbol, g.ts_utc) g.*
    from unnest(p_bars) as g
    order by g.canonical_symbol, g.ts_utc, g.index desc
  ),
  stored as (
    insert into public.data_bars as b (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source, raw, created_at
    )
    select
      g.canonical_symbol, g.timeframe, g.ts_utc, g.open, g.high, g.low, g.close, g.vol, g.vwap, g.trade_count, g.is_partial, g.source, g.raw,
      v_at
    from given as g
    on conflict (canonical_symbol, timeframe, ts_utc) do update set
      open = excluded.open, high = excluded.high, low = excluded.low, close = excluded.close,
      vol = excluded.vol, vwap = excluded.vwap, trade_count = excluded.trade_count,
      is_partial = excluded.is_partial, source = excluded.source, raw = excluded.raw,
      ingested_at = excluded.ingested_at
    where (b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count, b.is_partial, b.source, b.raw)
      is distinct from (
        excluded.open, excluded.high, excluded.low, excluded.close, excluded.vol, excluded.vwap, excluded.trade_count,
        excluded.is_partial, excluded.source, excluded.raw
      )
    returning b.created_at = v_at as is_new
  )
  select
    count(*) filter (where s.is_new), count(*) filter (where not s.is_new), (select count(*) from given as g) - count(*)
  into inserted, updated, unchanged
  from stored as s;
end;
$$;
