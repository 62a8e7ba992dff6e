comment on type agg.build_request is
'Windows to build for a set of symbols that want the same ones with the same settings: those that start in [from_utc, to_utc).
It carries the whole configuration of the tasks, so that building joins bars on canonical_symbol alone. Null source_timeframe: synthetic series. Null derivation_version: that of the stored bar, otherwise 1. window_time_zone, window_origin: see agg.window_bounds.
Empty windows after the last source bar are decided only if there is another before clock_utc (null: always). frontier_utc is what could be decided; is_limited: to_utc is nearer, since the batch takes no more windows.
is_rebuild: the range begins behind the cursor, or behind what was built ahead of it: rows may be stored, and what changes is passed on.';

create type agg.build_request as (
  symbols text[],
  timeframe text,
  source_timeframe text,
  window_length interval,
  window_time_zone text,
  window_origin timestamp,
  source_length interval,
  from_utc timestamptz,
  to_utc timestamptz,
  frontier_utc timestamptz,
  clock_utc timestamptz,
  is_limited boolean,
  derivation_version integer,
  good_percent smallint,
  poor_percent smallint,
  session_time_zone text,
  session_minutes int4multirange,
  calendar text,
  is_rebuild boolean
);
