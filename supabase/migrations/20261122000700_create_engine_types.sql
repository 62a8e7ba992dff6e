create type agg.claim as (
  canonical_symbol text,
  timeframe text,
  cursor_utc timestamptz
);
comment on type agg.claim is 'A task somebody holds, with the cursor to go on from.';

create type agg.build_order as (
  canonical_symbol text,
  timeframe text,
  source_timeframe text,
  window_length interval,
  source_length interval,
  from_utc timestamptz,
  to_utc timestamptz,
  frontier_utc timestamptz,
  clock_utc timestamptz,
  max_windows integer,
  derivation_version integer,
  good_percent smallint,
  poor_percent smallint,
  session_time_zone text,
  session_minutes int4multirange
);
comment on type agg.build_order is
  'Build the windows of one task that start in [from_utc, to_utc), at most max_windows of those that have source bars (null: all). Empty windows after the last source bar are decided only if there is another before clock_utc (null: without asking). It carries the task''s whole configuration, so that building joins bars on canonical_symbol alone. A null source_timeframe means a synthetic series.';

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
  is_limited boolean,
  decided_to_utc timestamptz
);
comment on type agg.build_result is
  'What came of a build_order (its times repeated): windows with source bars, bars among them that qualify, of which inserted and updated were written (the rest stood there already), whether max_windows ended it, and the end of the last window decided (from_utc: none).';

create type agg.batch_result as (
  tasks integer,
  windows bigint,
  bars_created bigint,
  bars_quality_poor bigint,
  failed integer
);
comment on type agg.batch_result is 'Sums over the tasks of one batch.';

create type agg.task_outcome as (
  canonical_symbol text,
  timeframe text,
  succeeded boolean,
  new_cursor_utc timestamptz,
  stopped_reason text,
  bars_created bigint,
  bars_quality_poor bigint,
  fail_kind text,
  error text
);
comment on type agg.task_outcome is 'How work on a claimed task ended. fail_kind (transient, hard) and error only where it did not succeed.';
