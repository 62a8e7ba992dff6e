comment on type agg.build_result is
'What came of a build_request for those of its symbols for which the same came of it. Counts are a symbol''s.
windows had source bars; bars of them qualify, bars_poor of these with quality 0; inserted and updated bars were written (the rest stood there already); removed bars qualify no longer; written counts all rows, also of windows with too few minutes for a bar.
decided_to_utc is the end of the last window decided. stopped_reason: see agg.stopped_reason.
failed: the windows that could not be built, and error, the first reason. With a fail_kind (transient, hard) nothing was built at all.';

create type agg.build_result as (
  symbols text[],
  timeframe text,
  window_length interval,
  window_time_zone text,
  window_origin timestamp,
  from_utc timestamptz,
  to_utc timestamptz,
  windows integer,
  bars integer,
  bars_poor integer,
  inserted integer,
  updated integer,
  removed integer,
  written integer,
  decided_to_utc timestamptz,
  stopped_reason text,
  is_rebuild boolean,
  failed tstzmultirange,
  fail_kind text,
  error text
);
