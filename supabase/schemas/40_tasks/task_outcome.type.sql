comment on type agg.task_outcome is 'How work on a claimed task ended. fail_kind (transient, hard) and error only where it did not succeed.';

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
