comment on type agg.batch_result is
  'Sums over one batch: tasks worked on, what they built ahead of their cursors, bars that corrections wrote or removed, tasks and corrections that failed, notes read, windows of history built or found as they were.';

create type agg.batch_result as (
  tasks integer,
  windows bigint,
  bars_created bigint,
  bars_quality_poor bigint,
  bars_corrected bigint,
  failed integer,
  notes bigint,
  windows_backfilled bigint
);
