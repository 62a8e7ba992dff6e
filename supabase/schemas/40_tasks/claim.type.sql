comment on type agg.claim is 'A task somebody holds, with the cursor to go on from.';

create type agg.claim as (
  canonical_symbol text,
  timeframe text,
  cursor_utc timestamptz
);
