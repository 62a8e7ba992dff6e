create function agg.advance_tasks(p_claims agg.claim[], p_now timestamptz, p_max_windows integer)
returns agg.batch_result
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_results agg.build_result[];
  v_sums agg.batch_result;
begin
  v_results := array(
    select r
    from agg.build_bars(array(select o from agg.plan_builds(p_claims, p_now, p_max_windows, null) as o)) as r
  );
  perform agg.finish_tasks(
    array(
      select row(
        r.canonical_symbol, r.timeframe, true, agg.new_cursor(r), agg.stopped_reason(r),
        r.bars, r.bars_poor, null, null
      )::agg.task_outcome
      from unnest(v_results) as r
    ),
    p_now
  );
  select count(*), coalesce(sum(r.windows), 0), coalesce(sum(r.bars), 0), coalesce(sum(r.bars_poor), 0), 0
  into v_sums
  from unnest(v_results) as r;
  return v_sums;
end;
$$;

create function agg.add_batches(p_sums agg.batch_result, p_batch agg.batch_result)
returns agg.batch_result
language sql
immutable
parallel safe
set search_path = ''
as $$
  select
    p_sums.tasks + p_batch.tasks,
    p_sums.windows + p_batch.windows,
    p_sums.bars_created + p_batch.bars_created,
    p_sums.bars_quality_poor + p_batch.bars_quality_poor,
    p_sums.failed + p_batch.failed;
$$;

create function agg.fail_kind(p_sqlstate text)
returns text
language sql
immutable
parallel safe
set search_path = ''
as $$
  select case
    when left(p_sqlstate, 2) in ('08', '40', '53', '57', '58') or p_sqlstate in ('55P03', '23505') then 'transient'
    else 'hard'
  end;
$$;

create function agg.advance_or_split(p_claims agg.claim[], p_now timestamptz, p_max_windows integer)
returns agg.batch_result
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_half constant integer := cardinality(p_claims) / 2;
  v_outcome agg.task_outcome;
begin
  begin
    return agg.advance_tasks(p_claims, p_now, p_max_windows);
  exception when others then
    v_outcome := row(
      p_claims[1].canonical_symbol, p_claims[1].timeframe, false, null, null, null, null,
      agg.fail_kind(sqlstate), format('%s (%s)', sqlerrm, sqlstate)
    );
  end;

  if v_half = 0 then
    perform agg.finish_tasks(array[v_outcome], p_now);
    return row(1, 0, 0, 0, 1)::agg.batch_result;
  end if;
  return agg.add_batches(
    agg.advance_or_split(p_claims[:v_half], p_now, p_max_windows),
    agg.advance_or_split(p_claims[v_half + 1:], p_now, p_max_windows)
  );
end;
$$;

create function agg.run_batch(
  p_env text default 'prod',
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_batch_windows integer default 100000
)
returns agg.batch_result
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_claims agg.claim[];
begin
  perform agg.recover_abandoned_claims(p_now);
  v_claims := agg.claim_due_tasks(p_env, p_limit, p_now);
  if cardinality(v_claims) = 0 then
    return row(0, 0, 0, 0, 0)::agg.batch_result;
  end if;
  return agg.advance_or_split(v_claims, p_now, greatest(1, p_batch_windows / cardinality(v_claims)));
end;
$$;

create function public.agg_run_due(
  p_env text default 'prod',
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_time_budget interval default interval '40 seconds',
  p_batch_windows integer default 100000
)
returns jsonb
language plpgsql
volatile
-- The run log and the alerts are not the caller's to write.
security definer
set search_path = ''
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
set statement_timeout = '120s'
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_stopped_reason text;
  v_batch agg.batch_result;
  v_batches integer := 0;
  v_sums agg.batch_result := row(0, 0, 0, 0, 0);
begin
  if p_env is null or p_now is null or p_time_budget is null
    or coalesce(p_limit, 0) < 1 or coalesce(p_batch_windows, 0) < 1
  then
    raise exception 'p_env, p_now and p_time_budget must not be null, p_limit and p_batch_windows must be at least 1'
      using errcode = 'invalid_parameter_value';
  end if;
  -- Held to the end of the transaction, so that no dead or pooled session can keep it.
  if not pg_try_advisory_xact_lock(hashtextextended('pgbars.agg_run_due', 0)) then
    v_stopped_reason := 'busy';
  end if;

  while v_stopped_reason is null loop
    v_batch := agg.run_batch(p_env, p_limit, p_now, p_batch_windows);
    v_batches := v_batches + (v_batch.tasks > 0)::integer;
    v_sums := agg.add_batches(v_sums, v_batch);
    if v_batch.tasks = 0 then
      v_stopped_reason := 'idle';
    elsif clock_timestamp() >= v_started_at + p_time_budget then
      v_stopped_reason := 'time_budget';
    end if;
  end loop;

  if v_sums.failed > 0 then
    perform agg.refresh_alerts(p_now);
  end if;
  insert into agg.run_log (
    started_at, finished_at, env, batches, tasks, windows, bars_created, bars_quality_poor, failed, stopped_reason
  )
  values (
    v_started_at, clock_timestamp(), p_env, v_batches, v_sums.tasks, v_sums.windows,
    v_sums.bars_created, v_sums.bars_quality_poor, v_sums.failed, v_stopped_reason
  );
  return jsonb_build_object(
    'tasks', v_sums.tasks,
    'windows', v_sums.windows,
    'bars_created', v_sums.bars_created,
    'bars_quality_poor', v_sums.bars_quality_poor,
    'failed', v_sums.failed,
    'batches', v_batches,
    'stopped_reason', v_stopped_reason
  );
end;
$$;

revoke execute on function agg.advance_tasks(agg.claim[], timestamptz, integer) from public, anon, authenticated;
revoke execute on function agg.add_batches(agg.batch_result, agg.batch_result) from public, anon, authenticated;
revoke execute on function agg.fail_kind(text) from public, anon, authenticated;
revoke execute on function agg.advance_or_split(agg.claim[], timestamptz, integer) from public, anon, authenticated;
revoke execute on function agg.run_batch(text, integer, timestamptz, integer) from public, anon, authenticated;
revoke execute on function public.agg_run_due(text, integer, timestamptz, interval, integer) from public, anon, authenticated;
grant execute on function public.agg_run_due(text, integer, timestamptz, interval, integer) to service_role;
grant execute on function agg.advance_tasks(agg.claim[], timestamptz, integer) to service_role;
grant execute on function agg.fail_kind(text) to service_role;
grant execute on function agg.advance_or_split(agg.claim[], timestamptz, integer) to service_role;
grant execute on function agg.run_batch(text, integer, timestamptz, integer) to service_role;
grant execute on function agg.add_batches(agg.batch_result, agg.batch_result) to service_role;

comment on function agg.advance_tasks(agg.claim[], timestamptz, integer) is
  'Plans, builds and finishes the claimed tasks, all or nothing. The caller holds their row locks, taken in an earlier statement.';
comment on function agg.fail_kind(text) is
  'transient for what may pass by itself (connection, serialization, resources, operator, lock, a bar that somebody else has just stored), otherwise hard. A cancelled statement is neither: it ends the run.';
comment on function agg.advance_or_split(agg.claim[], timestamptz, integer) is
  'advance_tasks, and where that raises, each half on its own, down to single tasks: a bad one fails alone, after as many tries as the number of claims has binary digits.';
comment on function agg.run_batch(text, integer, timestamptz, integer) is
  'One batch in the caller''s transaction: claims due tasks of one timeframe and advances them together, so that a bad one costs only itself. At most p_batch_windows windows, shared evenly. tasks is 0 when nothing was due. Any number may run side by side.';
comment on function agg.add_batches(agg.batch_result, agg.batch_result) is 'The sums of two batches.';
comment on function public.agg_run_due(text, integer, timestamptz, interval, integer) is
  'The dispatcher: runs batches in the caller''s transaction until nothing is due (idle) or p_time_budget of wall clock is over after a batch (time_budget; interval ''0'' is one batch); returns at once when another dispatcher is at work (busy). Writes one row of agg.run_log. The job of agg.job_list calls it batch by batch and commits each. Returns tasks, windows, bars_created, bars_quality_poor, failed, batches, stopped_reason.';
