-- aggregate_window() does not lock its series.
select pg_temp.take_away(
  'public.aggregate_window(text, text, timestamptz, timestamptz, integer, timestamptz)',
  'perform agg.lock_series(p_symbol, p_timeframe);'
);
