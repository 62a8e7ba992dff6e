comment on type agg.build_result is
  'What came of a build_request (its times repeated): windows with source bars, bars among them that qualify, of which inserted and updated were written (the rest stood there already), bars removed because they no longer qualify, whether max_windows ended it, and the end of the last window decided (from_utc: none). fail_kind (transient, hard) and error where it could not be built, and nothing was.';

create type agg.build_result as (
  canonical_symbol text,
  timeframe text,
  window_length interval,
  from_utc timestamptz,
  to_utc timestamptz,
  frontier_utc timestamptz,
  windows integer,
  bars integer,
  bars_poor integer,
  inserted integer,
  updated integer,
  removed integer,
  is_limited boolean,
  decided_to_utc timestamptz,
  is_rebuild boolean,
  fail_kind text,
  error text
);
