comment on type agg.build_result is
'What came of a build_request, whose range it repeats.
windows had source bars; bars of them qualify, bars_poor of these with quality 0; inserted and updated were written (the rest stood there already); removed qualify no longer.
decided_to_utc is the end of the last window decided, from_utc where there is none. stopped_reason: see agg.stopped_reason.
failed: the windows that could not be built, and error, the first reason. With a fail_kind (transient, hard) nothing was built at all.';

create type agg.build_result as (
  canonical_symbol text,
  timeframe text,
  window_length interval,
  from_utc timestamptz,
  to_utc timestamptz,
  windows integer,
  bars integer,
  bars_poor integer,
  inserted integer,
  updated integer,
  removed integer,
  decided_to_utc timestamptz,
  stopped_reason text,
  is_rebuild boolean,
  failed tstzmultirange,
  fail_kind text,
  error text
);
