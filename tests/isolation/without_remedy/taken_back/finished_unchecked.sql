-- agg_finish() without p_claimed_at adds no correction of the windows that the cursor passes.
select pg_temp.take_away(
  'public.agg_finish(text, text, boolean, timestamptz, jsonb, text, text, timestamptz, timestamptz)',
  'p_success and p_claimed_at is null',
  'false'
);
