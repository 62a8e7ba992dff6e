comment on type agg.difference is
  'A stored bar (null: none) that is not what its source makes: change as in agg.window_bar, or failed.';

create type agg.difference as (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  change text,
  stored jsonb,
  expected jsonb
);
