comment on type agg.input_bar is 'A 1m bar as a caller gives it, at the place index from 0.';

create type agg.input_bar as (
  index integer,
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
  is_partial boolean,
  source text,
  raw jsonb
);
