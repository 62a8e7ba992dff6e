comment on table public.data_agg_state is
  'One row a task: build timeframe bars of canonical_symbol from its source_timeframe. Follows the registry through sync_agg_state_from_registry.';
comment on column public.data_agg_state.last_agg_bar_ts_utc is
  'The cursor: the start of the last window that was decided. The next window starts at cursor + interval.';
comment on column public.data_agg_state.built_to_utc is
  'The end of the windows that were built ahead of the cursor: by a worker that has not stored its cursor, by hand, or before a reset. Corrections reach up to it. Null: none were.';
comment on column public.data_agg_state.next_run_at is
  'When a dispatcher takes the task. infinity: it sleeps, until a change note or its source task wakes it.';
comment on column public.data_agg_state.due_together_at is
  'The next_run_at that the last run has set for a task that is up to date, and so due together with others (see agg.queue). Null: it is due alone.';
comment on column public.data_agg_state.queued_at is
  'Where the task stands in its queue: at next_run_at; -infinity: with those that are due together. Whatever else sets next_run_at makes the task due alone.';
comment on column public.data_agg_state.agg_start_utc is 'Nothing is built before this instant: the start that the registry says, or a later floor of agg.floor.';
comment on column public.data_agg_state.aggregation_delay_seconds is 'A window is decided once its end is this many seconds old.';
comment on column public.data_agg_state.enabled is
  'Whether the registry wants the task. An enabled task with status disabled is an optional one that failed three times in a row.';
comment on column public.data_agg_state.task_priority is 'Lower runs first, after mandatory and timeframe.';
comment on column public.data_agg_state.good_percent is 'Least coverage, in percent, of a good bar (quality 1).';
comment on column public.data_agg_state.poor_percent is 'Least coverage, in percent, of any bar (quality 0). 0: any minute makes a bar, since minutes without a trade have none (metadata.agg.sparse), and no bar is poor.';
comment on column public.data_agg_state.session_minutes is
  'Open minutes of the local week (0 is Monday 00:00 in session_time_zone); null is 24x7.';
comment on column public.data_agg_state.window_time_zone is
  'The zone on whose wall clock windows begin at window_origin plus or minus whole intervals; null is UTC.';
comment on column public.data_agg_state.window_origin is 'A local time at which a window begins.';
comment on column public.data_agg_state.calendar is 'The calendar of dated exceptions to the session; null: none.';
comment on column public.data_agg_state.basket is
  'What the registry said of a synthetic series at the last sync, to compare with; null for other tasks.';
comment on column public.data_agg_state.fail_streak is 'Failures in a row, of any kind: sets the backoff. A success clears it.';
comment on column public.data_agg_state.failing_since_utc is 'When the failures in a row began, on the dispatcher''s clock; null after a success.';
comment on column public.data_agg_state.hard_fail_streak is 'Hard failures since the last success.';

create table public.data_agg_state (
  canonical_symbol text not null,
  timeframe text not null,
  source_timeframe text not null,
  run_interval_minutes integer not null,
  aggregation_delay_seconds integer not null default 300,
  last_agg_bar_ts_utc timestamptz not null,
  built_to_utc timestamptz,
  agg_start_utc timestamptz not null default '2025-07-01 00:00:00+00',
  status text not null default 'idle',
  next_run_at timestamptz not null default now(),
  running_started_at_utc timestamptz,
  enabled boolean not null default true,
  is_mandatory boolean not null default false,
  task_priority integer not null default 100,
  good_percent smallint not null default 80,
  poor_percent smallint not null default 60,
  session_time_zone text,
  session_minutes int4multirange,
  basket jsonb,
  fail_streak integer not null default 0,
  hard_fail_streak integer not null default 0,
  total_runs bigint not null default 0,
  total_bars_created bigint not null default 0,
  total_bars_quality_poor bigint not null default 0,
  last_attempted_at_utc timestamptz,
  last_successful_at_utc timestamptz,
  last_stopped_reason text,
  last_error text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  failing_since_utc timestamptz,
  window_time_zone text,
  window_origin timestamp not null default '2000-01-03 00:00:00',
  calendar text,
  due_together_at timestamptz,
  queued_at timestamptz generated always as (case when next_run_at = due_together_at then '-infinity' else next_run_at end) stored,
  constraint data_agg_state_pkey primary key (canonical_symbol, timeframe),
  -- A pattern and no foreign key: the index that a key wants would be written with every move of a cursor. The pattern costs
  -- more than a list of what most tasks have.
  constraint data_agg_state_timeframe_check check (timeframe in ('1m', '5m', '1h') or timeframe ~ '^[1-9][0-9]{0,3}[mhdw]$'),
  constraint data_agg_state_source_timeframe_check check (
    source_timeframe in ('1m', '5m', '1h') or source_timeframe ~ '^[1-9][0-9]{0,3}[mhdw]$'
  ),
  constraint data_agg_state_status_check check (status in ('idle', 'running', 'disabled', 'hard_failed')),
  constraint data_agg_state_running_has_start check (status <> 'running' or running_started_at_utc is not null),
  constraint data_agg_state_interval_positive check (run_interval_minutes > 0),
  constraint data_agg_state_delay_not_negative check (aggregation_delay_seconds >= 0),
  constraint data_agg_state_cursor_aligned check (
    -- What a local clock shows is no matter for a check: it changes with the list of time zones. UTC as an interval is quicker.
    run_interval_minutes <= 0 or window_time_zone is not null
    or date_bin(run_interval_minutes * interval '1 minute', last_agg_bar_ts_utc, window_origin at time zone interval '0') = last_agg_bar_ts_utc
  ),
  constraint data_agg_state_percents_check check (poor_percent between 0 and good_percent and good_percent <= 100),
  constraint data_agg_state_session_check check ((session_time_zone is null) = (session_minutes is null)),
  -- No count from outside may make a sum of the dispatcher overflow.
  constraint data_agg_state_counts_check check (
    total_runs between 0 and 1000000000000000 and total_bars_created between 0 and 1000000000000000
    and total_bars_quality_poor between 0 and 1000000000000000 and fail_streak <= 1000001
  ),
  constraint data_agg_state_streaks_check check (hard_fail_streak between 0 and fail_streak)
)
-- Room for the next version of each row beside it.
with (fillfactor = 50);

-- The order of claims. A run that finds nothing due reads this and the next index, and no task. The cursor of a task that is up
-- to date moves without being written to any index.
create index data_agg_state_queue_idx on public.data_agg_state (is_mandatory, run_interval_minutes, task_priority, queued_at)
  where enabled and status in ('idle', 'hard_failed');

-- Tasks that sleep, and what they wait for.
create index data_agg_state_sleeping_idx on public.data_agg_state (canonical_symbol, source_timeframe)
  where queued_at = 'infinity' and enabled and status in ('idle', 'hard_failed');

create index data_agg_state_running_idx on public.data_agg_state (running_started_at_utc) where status = 'running';

-- Every change of a bar asks which baskets it is in; few of many tasks have one.
create index data_agg_state_basket_idx on public.data_agg_state (canonical_symbol) where basket is not null;

alter table public.data_agg_state enable row level security;

create policy service_role_writes on public.data_agg_state for all to service_role using (true) with check (true);
