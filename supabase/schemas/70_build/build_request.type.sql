comment on type agg.build_request is
'The windows of one task to build: those that start in [from_utc, to_utc), at most max_windows of those that have source bars (null: all).
Empty windows after the last source bar are decided only if there is another before clock_utc (null: always).
It carries the whole configuration of the task, so that building joins bars on canonical_symbol alone. Null source_timeframe: a synthetic series. Null derivation_version: that of the stored bar, otherwise 1.
is_rebuild: it begins behind the cursor of its task, or behind what was built ahead of it, and what it changes is passed on.';

create type agg.build_request as (
  canonical_symbol text,
  timeframe text,
  source_timeframe text,
  window_length interval,
  source_length interval,
  from_utc timestamptz,
  to_utc timestamptz,
  frontier_utc timestamptz,
  clock_utc timestamptz,
  max_windows integer,
  derivation_version integer,
  good_percent smallint,
  poor_percent smallint,
  session_time_zone text,
  session_minutes int4multirange,
  is_rebuild boolean
);
