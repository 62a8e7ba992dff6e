-- The functions that build a single window do not lock its series.
select pg_temp.take_away(
  'agg.build_single_window(text, text, timestamptz, timestamptz, integer, timestamptz)',
  'perform agg.lock_series(p_symbol, p_timeframe);'
);
