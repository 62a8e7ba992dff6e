comment on type agg.task_change is
  'How a task differs from what the registry wants: insert, update, reenable (with what is wanted) or disable (with no more than its key). has_new_windows: it has to start over, since its windows begin elsewhere. changed_spans: where what it has decided must be built again, since rules are new or its start is earlier; null where neither is so.';

create type agg.task_change as (
  action text,
  canonical_symbol text,
  timeframe text,
  source_timeframe text,
  run_interval_minutes integer,
  aggregation_delay_seconds integer,
  is_mandatory boolean,
  agg_start_utc timestamptz,
  good_percent smallint,
  poor_percent smallint,
  session_time_zone text,
  session_minutes int4multirange,
  basket jsonb,
  calendar text,
  window_time_zone text,
  window_origin timestamp,
  has_new_windows boolean,
  changed_spans tstzmultirange
);
