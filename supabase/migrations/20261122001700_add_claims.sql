create view agg.runnable_task with (security_invoker = true) as
select s.*
from public.data_agg_state as s
where s.enabled and s.status in ('idle', 'hard_failed');

revoke all on table agg.runnable_task from public, anon, authenticated, service_role;
grant select on table agg.runnable_task to service_role;
comment on view agg.runnable_task is 'Tasks that may be claimed once their next_run_at has come: mandatory ones even after hard failures.';

create function agg.recover_abandoned_claims(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_recovered integer;
begin
  update public.data_agg_state as s
  set
    status = case when s.hard_fail_streak >= 3 then 'hard_failed' else 'idle' end,
    running_started_at_utc = null,
    next_run_at = p_now,
    last_error = format('claim of %s was abandoned', s.running_started_at_utc),
    updated_at = now()
  from (
    select a.canonical_symbol, a.timeframe
    from public.data_agg_state as a
    where a.status = 'running' and a.running_started_at_utc <= p_now - interval '15 minutes'
    for update skip locked
  ) as abandoned
  where s.canonical_symbol = abandoned.canonical_symbol and s.timeframe = abandoned.timeframe;
  get diagnostics v_recovered = row_count;
  return v_recovered;
end;
$$;

create function agg.claim_due_tasks(p_env text, p_limit integer, p_now timestamptz)
returns agg.claim[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_first record;
begin
  select s.timeframe, s.is_mandatory into v_first
  from agg.runnable_task as s
  join agg.timeframe as t on t.timeframe = s.timeframe
  where s.next_run_at <= p_now
    and s.canonical_symbol in (select a.symbol from agg.active_symbols(p_env) as a (symbol))
  order by s.is_mandatory desc, t.duration, s.task_priority, s.last_successful_at_utc nulls first
  limit 1
  for update of s skip locked;
  if not found then
    return array[]::agg.claim[];
  end if;

  return array(
    select row(s.canonical_symbol, s.timeframe, s.last_agg_bar_ts_utc)::agg.claim
    from agg.runnable_task as s
    where s.next_run_at <= p_now and s.timeframe = v_first.timeframe and s.is_mandatory = v_first.is_mandatory
      and s.canonical_symbol in (select a.symbol from agg.active_symbols(p_env) as a (symbol))
    order by s.task_priority, s.last_successful_at_utc nulls first
    limit p_limit
    for update of s skip locked
  );
end;
$$;

create function agg.retry_delay(p_failures integer)
returns interval
language sql
immutable
parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select least(interval '1 hour', interval '1 minute' * 2 ^ least(p_failures, 6));
$$;

create function agg.finish_tasks(p_outcomes agg.task_outcome[], p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_alarms text;
begin
  with finished as (
    update public.data_agg_state as s
    set
      last_agg_bar_ts_utc = n.cursor_utc,
      built_to_utc = case when s.built_to_utc > n.cursor_utc + l.length then s.built_to_utc end,
      status = case
        when not s.enabled or s.status = 'disabled' then 'disabled'
        when n.hard_fail_streak < 3 then 'idle'
        when s.is_mandatory then 'hard_failed'
        else 'disabled'
      end,
      next_run_at = case
        when not o.succeeded then p_now + agg.retry_delay(s.fail_streak)
        when o.stopped_reason = 'max_windows' then p_now
        when n.due_at > p_now then n.due_at
        -- Waits for data: ask again after an eighth of the time it has waited.
        else p_now + least(interval '5 minutes', greatest(interval '1 minute', (p_now - n.due_at) / 8))
      end,
      running_started_at_utc = null,
      fail_streak = case when o.succeeded then 0 else s.fail_streak + 1 end,
      hard_fail_streak = n.hard_fail_streak,
      total_runs = s.total_runs + 1,
      total_bars_created = s.total_bars_created + coalesce(o.bars_created, 0),
      total_bars_quality_poor = s.total_bars_quality_poor + coalesce(o.bars_quality_poor, 0),
      last_attempted_at_utc = p_now,
      last_successful_at_utc = case when o.succeeded then p_now else s.last_successful_at_utc end,
      last_stopped_reason = case when o.succeeded then o.stopped_reason else s.last_stopped_reason end,
      last_error = case when o.succeeded then null else o.error end,
      updated_at = now()
    from unnest(p_outcomes) as o
    join public.data_agg_state as c on c.canonical_symbol = o.canonical_symbol and c.timeframe = o.timeframe
    cross join lateral (select make_interval(mins => c.run_interval_minutes)) as l (length)
    cross join lateral (
      select
        case when o.succeeded then greatest(c.last_agg_bar_ts_utc, o.new_cursor_utc) else c.last_agg_bar_ts_utc end as cursor_utc,
        case when o.succeeded then 0 else c.hard_fail_streak + (o.fail_kind = 'hard')::integer end as hard_fail_streak
    ) as k
    cross join lateral (
      select k.*, agg.due_at(k.cursor_utc, l.length, c.aggregation_delay_seconds) as due_at
    ) as n
    where s.canonical_symbol = c.canonical_symbol and s.timeframe = c.timeframe
    returning s.canonical_symbol, s.timeframe, s.is_mandatory, s.hard_fail_streak, s.status, s.last_error
  )
  select string_agg(
    format('%s %s (%s, %s in a row): %s', f.canonical_symbol, f.timeframe,
      case when f.is_mandatory then 'mandatory, keeps retrying' else 'optional, now disabled' end, f.hard_fail_streak, f.last_error),
    '; ' order by f.canonical_symbol, f.timeframe
  )
  into v_alarms
  from finished as f
  where f.hard_fail_streak >= 3;

  if v_alarms is not null then
    raise warning 'hard failures: %', v_alarms using hint = 'select * from agg_health() explains every task.';
  end if;
end;
$$;

create function public.agg_get_due_tasks(
  p_env text default null, p_limit integer default 10, p_now timestamptz default now()
)
returns table (
  canonical_symbol text,
  timeframe text,
  source_timeframe text,
  last_agg_bar_ts_utc timestamptz,
  run_interval_minutes integer,
  aggregation_delay_seconds integer,
  is_mandatory boolean,
  task_priority integer
)
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform agg.recover_abandoned_claims(p_now);
  return query
  select
    s.canonical_symbol, s.timeframe, s.source_timeframe, s.last_agg_bar_ts_utc,
    s.run_interval_minutes, s.aggregation_delay_seconds, s.is_mandatory, s.task_priority
  from agg.runnable_task as s
  join agg.timeframe as t on t.timeframe = s.timeframe
  where s.next_run_at <= p_now
    and s.canonical_symbol in (select a.symbol from agg.active_symbols(agg.current_env(p_env)) as a (symbol))
  order by s.is_mandatory desc, t.duration, s.task_priority, s.last_successful_at_utc nulls first, s.canonical_symbol
  limit p_limit;
end;
$$;

create function public.agg_start(p_symbol text, p_tf text, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
begin
  update public.data_agg_state as s
  set status = 'running', running_started_at_utc = p_now, updated_at = now()
  from (
    select r.canonical_symbol, r.timeframe
    from agg.runnable_task as r
    where r.canonical_symbol = p_symbol and r.timeframe = p_tf
    for update skip locked
  ) as free
  where s.canonical_symbol = free.canonical_symbol and s.timeframe = free.timeframe
  returning s.* into v_task;
  if found then
    return jsonb_build_object(
      'claimed', true,
      'canonical_symbol', v_task.canonical_symbol,
      'timeframe', v_task.timeframe,
      'source_timeframe', v_task.source_timeframe,
      'last_agg_bar_ts_utc', v_task.last_agg_bar_ts_utc,
      'claimed_at', v_task.running_started_at_utc
    );
  end if;

  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_tf;
  if not found then
    perform agg.raise_no_task(p_symbol, p_tf);
  end if;
  return jsonb_build_object(
    'claimed', false,
    'reason', case when v_task.status in ('running', 'disabled') then v_task.status else 'busy' end
  );
end;
$$;

create function public.agg_finish(
  p_symbol text,
  p_tf text,
  p_success boolean,
  p_new_cursor_utc timestamptz default null,
  p_stats jsonb default null,
  p_fail_kind text default null,
  p_error text default null,
  p_now timestamptz default now(),
  p_claimed_at timestamptz default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
  v_length interval;
  v_frontier_utc timestamptz;
begin
  if p_success is null then
    raise exception 'p_success must be true or false' using errcode = 'invalid_parameter_value';
  end if;
  if not p_success and coalesce(p_fail_kind, '') not in ('transient', 'hard') then
    raise exception 'p_fail_kind must be transient or hard, not %', coalesce(p_fail_kind, 'null')
      using errcode = 'invalid_parameter_value';
  end if;

  v_task := agg.lock_task(p_symbol, p_tf);
  if v_task.running_started_at_utc is null or v_task.running_started_at_utc <> p_claimed_at then
    raise exception 'task % % is not claimed%', p_symbol, p_tf, coalesce(' since ' || p_claimed_at, '')
      using errcode = 'object_not_in_prerequisite_state',
        hint = 'Claim it with agg_start() first. A claim older than 15 minutes counts as abandoned and is taken back.';
  end if;

  if p_success and p_new_cursor_utc is not null then
    v_length := make_interval(mins => v_task.run_interval_minutes);
    if date_bin(v_length, p_new_cursor_utc, timestamptz '2000-01-01 00:00:00+00') <> p_new_cursor_utc
      or p_new_cursor_utc < v_task.last_agg_bar_ts_utc
    then
      raise exception 'cursor % of % % is not the start of a window at or after the cursor %',
        p_new_cursor_utc, p_symbol, p_tf, v_task.last_agg_bar_ts_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
    select o.frontier_utc into v_frontier_utc
    from agg.plan_builds(array[row(p_symbol, p_tf, v_task.last_agg_bar_ts_utc)::agg.claim], p_now, null, 1) as o;
    if p_new_cursor_utc > v_task.last_agg_bar_ts_utc and p_new_cursor_utc + v_length > v_frontier_utc then
      raise exception 'cursor % of % % is beyond the frontier %', p_new_cursor_utc, p_symbol, p_tf, v_frontier_utc
        using errcode = 'invalid_parameter_value', hint = 'Give new_cursor as catchup_aggregation_range() returned it.';
    end if;
  end if;

  perform agg.finish_tasks(
    array[row(
      p_symbol, p_tf, p_success, p_new_cursor_utc, p_stats ->> 'stopped_reason',
      (p_stats ->> 'bars_created')::bigint, (p_stats ->> 'bars_quality_poor')::bigint, p_fail_kind, p_error
    )::agg.task_outcome],
    p_now
  );
  -- The claim may have been lost and another's: what was built under it may have missed a change whose note is gone.
  if p_success and p_claimed_at is null and p_new_cursor_utc > v_task.last_agg_bar_ts_utc then
    perform agg.note_tasks(array[row(
      p_symbol, p_tf,
      tstzmultirange(tstzrange(v_task.last_agg_bar_ts_utc + v_length, p_new_cursor_utc + v_length)), now(), 0
    )::agg.change]);
  end if;
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_tf;
  return jsonb_build_object(
    'success', true,
    'status', v_task.status,
    'last_agg_bar_ts_utc', v_task.last_agg_bar_ts_utc,
    'next_run_at', v_task.next_run_at,
    'hard_fail_streak', v_task.hard_fail_streak
  );
end;
$$;

create function public.agg_bootstrap_cursor(p_symbol text, p_to_tf text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_task public.data_agg_state;
begin
  update public.data_agg_state as s
  set
    last_agg_bar_ts_utc = b.cursor_utc,
    built_to_utc = nullif(greatest(b.cursor_utc + b.length, s.last_agg_bar_ts_utc + b.length, s.built_to_utc), b.cursor_utc + b.length),
    status = case when s.enabled then 'idle' else 'disabled' end,
    running_started_at_utc = null,
    fail_streak = 0,
    hard_fail_streak = 0,
    next_run_at = agg.due_at(b.cursor_utc, b.length, s.aggregation_delay_seconds),
    updated_at = now()
  from (
    with recursive level as (
      select t.timeframe from agg.timeframe as t where t.timeframe = p_to_tf
      union all
      select t.timeframe from level as l join agg.timeframe as t on t.source_timeframe = l.timeframe
    )
    select t.canonical_symbol, t.timeframe, d.length, agg.bootstrap_cursor(t.agg_start_utc, d.length) as cursor_utc
    from public.data_agg_state as t
    cross join lateral (select make_interval(mins => t.run_interval_minutes)) as d (length)
    where t.canonical_symbol = p_symbol and t.timeframe in (select l.timeframe from level as l)
    order by t.run_interval_minutes
    for update of t
  ) as b
  where s.canonical_symbol = b.canonical_symbol and s.timeframe = b.timeframe;
  select s.* into v_task
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol and s.timeframe = p_to_tf;
  if not found then
    perform agg.raise_no_task(p_symbol, p_to_tf);
  end if;
  return jsonb_build_object(
    'success', true,
    'bootstrapped_cursor', v_task.last_agg_bar_ts_utc,
    'will_start_at', v_task.last_agg_bar_ts_utc + make_interval(mins => v_task.run_interval_minutes)
  );
end;
$$;

revoke execute on function agg.recover_abandoned_claims(timestamptz) from public, anon, authenticated, service_role;
revoke execute on function agg.claim_due_tasks(text, integer, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function agg.retry_delay(integer) from public, anon, authenticated, service_role;
revoke execute on function agg.finish_tasks(agg.task_outcome[], timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.agg_get_due_tasks(text, integer, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.agg_start(text, text, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.agg_finish(text, text, boolean, timestamptz, jsonb, text, text, timestamptz, timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.agg_bootstrap_cursor(text, text) from public, anon, authenticated, service_role;
grant execute on function public.agg_get_due_tasks(text, integer, timestamptz) to service_role;
grant execute on function public.agg_start(text, text, timestamptz) to service_role;
grant execute on function public.agg_finish(text, text, boolean, timestamptz, jsonb, text, text, timestamptz, timestamptz) to service_role;
grant execute on function public.agg_bootstrap_cursor(text, text) to service_role;

comment on function agg.recover_abandoned_claims(timestamptz) is
  'Frees tasks that a worker claimed with agg_start 15 minutes ago or longer and never finished; returns how many.';
comment on function agg.claim_due_tasks(text, integer, timestamptz) is
  'Locks up to p_limit due tasks of one timeframe until the end of the transaction: mandatory first, then shorter timeframe, priority, least recent success. Never waits: rows locked by others are passed over. Build in a later statement, so that its snapshot is younger than the locks.';
comment on function agg.retry_delay(integer) is 'How long to wait after a failure that followed p_failures others: a minute, doubled each time, at most an hour.';
comment on function agg.finish_tasks(agg.task_outcome[], timestamptz) is
  'The one rule for what follows work on tasks: cursor, streaks, status, and when each is due again. The caller holds the tasks. Three hard failures disable an optional task; a mandatory one keeps retrying with backoff as hard_failed. Warns of both.';
comment on function public.agg_get_due_tasks(text, integer, timestamptz) is
  'Tasks to work on in p_env (null: the environment of the database), most urgent first: mandatory, then shorter timeframe, then task_priority, then least recently successful. Claims nothing (agg_start does); frees claims abandoned for 15 minutes.';
comment on function public.agg_start(text, text, timestamptz) is
  'Claims a task for an outside worker. claimed false comes with a reason: running, disabled, or busy (a dispatcher holds it). Never waits. Raises no_data_found without a task.';
comment on function public.agg_finish(text, text, boolean, timestamptz, jsonb, text, text, timestamptz, timestamptz) is
  'Releases a claim. On success stores p_new_cursor_utc (null: unchanged), which must be aligned, not behind the cursor and not beyond a frontier, and the counts of p_stats (the result of catchup_aggregation_range); on failure counts it (p_fail_kind transient or hard) and backs off. Call it in the transaction that built the bars. p_claimed_at is claimed_at of agg_start: with it a worker whose claim was taken back cannot release that of another; without it the windows that the cursor passes are built once more, by the dispatcher. Raises object_not_in_prerequisite_state without the claim.';
comment on function public.agg_bootstrap_cursor(text, text) is
  'Sets the cursor one interval before agg_start_utc, so that the task builds everything again, and clears its failures; the tasks that build from it begin again with it. An unchanged bar is not written. Bars whose source bars are gone are soft-deleted. Waits for a dispatcher that holds the task. Only this, and a start moved back under a task that has decided nothing, move a cursor back.';
