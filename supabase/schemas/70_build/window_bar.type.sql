comment on type agg.window_bar is
  'A window of the request_no-th request, what its source bars make of it (quality_score null: no bar), and how the bar differs from the stored one: insert, update, remove (then it is the stored bar), null for not at all.';

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
  trade_count bigint,
  source_timeframe text,
  source_candles integer,
  expected_candles integer,
  covered_minutes integer,
  expected_minutes integer,
  quality_score smallint,
  derivation_version integer,
  is_partial boolean,
  change text
);
