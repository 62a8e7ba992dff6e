comment on type agg.synthetic_minute is
  'A minute of a synthetic series in which a component has a bar, and whether it is complete. change says how its bar differs from the stored one: insert, update, remove (then it is the stored bar), null for no difference.';

create type agg.synthetic_minute as (
  request_no bigint,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  raw jsonb,
  is_complete boolean,
  change text
);
