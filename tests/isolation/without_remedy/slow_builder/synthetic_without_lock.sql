-- derive_synthetic_range() does not lock its series.
select pg_temp.take_away(
  'public.derive_synthetic_range(text, timestamptz, timestamptz, integer)',
  $$perform agg.lock_series(p_symbol, '1m');$$
);
