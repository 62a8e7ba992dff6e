-- A worker that does not say which claim it finishes is believed to have seen everything.
select pg_temp.take_away(
  'public.agg_finish(text, text, boolean, timestamptz, jsonb, text, text, timestamptz, timestamptz)',
  'p_success and p_claimed_at is null',
  'false'
);
