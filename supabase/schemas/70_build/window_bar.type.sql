comment on type agg.window_bar is
  'A window of the request_no-th request, what its minutes make of it (quality_score null: they are too few for a bar), and how the row differs from the stored one: insert, update, remove (the window has no minutes any more; then it is the stored row, with covered_minutes 0), null for not at all. was_bar: the stored row was a bar.';

create type agg.window_bar as (
  request_no bigint,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  vwap_vol double precision,
  trade_count bigint,
  source_timeframe text,
  source_candles integer,
  expected_candles integer,
  covered_minutes integer,
  expected_minutes integer,
  quality_score smallint,
  derivation_version integer,
  is_partial boolean,
  change text,
  was_bar boolean
);
