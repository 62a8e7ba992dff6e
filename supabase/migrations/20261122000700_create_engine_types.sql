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
  session_minutes int4multirange,
  is_rebuild boolean
);
comment on type agg.build_order is
  'Build the windows of one task that start in [from_utc, to_utc), at most max_windows of those that have source bars (null: all). Empty windows after the last source bar are decided only if there is another before clock_utc (null: without asking). It carries the task''s whole configuration, so that building joins bars on canonical_symbol alone. A null source_timeframe means a synthetic series. is_rebuild: it begins behind the cursor of its task or behind what was built ahead of it, and what it changes is passed on. A null derivation_version keeps that of the stored bars, otherwise 1.';

create type agg.window_bar as (
  order_no bigint,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  source_timeframe text,
  source_candles integer,
  expected_candles integer,
  covered_minutes integer,
  expected_minutes integer,
  quality_score smallint,
  derivation_version integer,
  change text
);
comment on type agg.window_bar is
  'A window of the order_no-th order, what its source bars make of it (quality_score null: no bar), and how the bar differs from the stored one: insert, update, remove (then it is the stored bar), null for not at all.';

create type agg.synthetic_minute as (
  order_no bigint,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  raw jsonb,
  is_complete boolean,
  change text,
  stored_at tid,
  limit_utc timestamptz
);
comment on type agg.synthetic_minute is
  'A minute of a synthetic series in which a component has a bar, whether all have, and how its bar differs from the stored one: insert, update, remove (then it is the stored bar, at stored_at), null for not at all. limit_utc: where max_windows ends the order.';

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
comment on type agg.build_result is
  'What came of a build_order (its times repeated): windows with source bars, bars among them that qualify, of which inserted and updated were written (the rest stood there already), bars removed because they no longer qualify, whether max_windows ended it, and the end of the last window decided (from_utc: none). fail_kind (transient, hard) and error where it could not be built, and nothing was.';

create type agg.batch_result as (
  tasks integer,
  windows bigint,
  bars_created bigint,
  bars_quality_poor bigint,
  bars_corrected bigint,
  failed integer,
  notes bigint
);
comment on type agg.batch_result is
  'Sums over one batch: tasks worked on, what they built ahead of their cursors, bars that corrections wrote or removed, tasks and corrections that failed, notes read.';

create type agg.change as (
  canonical_symbol text,
  timeframe text,
  spans tstzmultirange,
  noted_at timestamptz,
  failures integer
);
comment on type agg.change is 'Source bars of a task changed in these spans.';

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

create type agg.difference as (
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  change text,
  stored jsonb,
  expected jsonb
);
comment on type agg.difference is
  'A stored bar (null: none) that is not what its source makes: change as in agg.window_bar, or failed.';

create type agg.asset_problem as (
  canonical_symbol text,
  problem text
);
comment on type agg.asset_problem is 'Something in the metadata of an asset that keeps it from being synced and built.';

create type agg.given_bar as (
  index integer,
  canonical_symbol text,
  timeframe text,
  ts_utc timestamptz,
  open double precision,
  high double precision,
  low double precision,
  close double precision,
  vol double precision,
  vwap double precision,
  trade_count bigint,
  is_partial boolean,
  source text,
  raw jsonb
);
comment on type agg.given_bar is 'A 1m bar as somebody gives it, in the place index from 0.';

create type agg.refused_bar as (
  index integer,
  code text,
  constraint_name text,
  problem text
);
comment on type agg.refused_bar is
  'Why the bar in the place index is refused: SQLSTATE, the constraint that it breaks where it is one, and the problem in words.';
