-- catchup_aggregation_range() does not lock its task.
select pg_temp.take_away(
  'public.catchup_aggregation_range(text, text, timestamptz, integer, timestamptz, integer, boolean)',
  'agg.lock_task(p_symbol, p_to_tf)',
  '(select s from public.data_agg_state as s where s.canonical_symbol = p_symbol and s.timeframe = p_to_tf)'
);
