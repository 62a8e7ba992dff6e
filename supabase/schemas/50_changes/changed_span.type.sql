comment on type agg.changed_span is 'Source bars of a task changed in these spans.';

create type agg.changed_span as (
  canonical_symbol text,
  timeframe text,
  spans tstzmultirange,
  changed_at timestamptz,
  failures integer
);
