comment on function public.agg_run_due is
  'Runs the dispatcher: builds what is due and makes corrections, in the transaction of the caller.
p_env: the assets of this environment; null: that of the database. p_limit: tasks a batch. p_now: the clock. p_batch_windows: windows a batch.
p_lane: which of the dispatchers that schedule_jobs has set up this is, 1 to 4. One run at a time in each lane; runs in several share the work.
p_time_budget: no batch begins after this time by the wall clock; interval ''0'' runs one batch.
Returns tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, batches and stopped_reason: idle (nothing is left to do), one_batch, time_budget, paused (see agg_pause), or busy (another dispatcher is at work in this lane; nothing was done).
Writes one row of agg.run_log. The job of agg.job_list calls it batch by batch and commits each.
Locks: transactions that add assets wait for one that has read change notes, so commit soon. Raises invalid_parameter_value for arguments out of range, lock_not_available where a table is locked.';

create function public.agg_run_due(
  p_env text default null,
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_time_budget interval default interval '40 seconds',
  p_batch_windows integer default 50000,
  p_lane integer default 1
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
set statement_timeout = '120s'
as $$
declare
  v_started_at constant timestamptz := clock_timestamp();
  v_env constant text := agg.current_env(p_env);
  v_stopped_reason text;
  v_batch agg.batch_result;
  v_batches integer := 0;
  v_sums agg.batch_result := agg.sum_batches(null, null);
begin
  if p_now is null or not isfinite(p_now) or p_time_budget is null
    or coalesce(p_limit, 0) < 1 or coalesce(p_batch_windows, 0) < 1
  then
    raise exception 'p_now and p_time_budget must not be null, p_now must be finite, p_limit and p_batch_windows at least 1'
      using errcode = 'invalid_parameter_value';
  end if;
  if p_lane is null or p_lane not between 1 and 4 then
    raise exception 'p_lane must be from 1 to 4, not %', coalesce(p_lane::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  -- Held to the end of the transaction, so that no dead or pooled session can keep it.
  if not pg_try_advisory_xact_lock(hashtextextended('pgbars.agg_run_due', p_lane - 1)) then
    v_stopped_reason := 'busy';
  end if;

  while v_stopped_reason is null loop
    v_batch := agg.run_batch(v_env, p_limit, p_now, p_batch_windows);
    v_batches := v_batches + (v_batch.tasks > 0)::integer;
    v_sums := agg.sum_batches(v_sums, v_batch);
    if v_batch.tasks = 0 and v_batch.notes = 0 then
      v_stopped_reason := case when agg.is_paused(p_now) then 'paused' else 'idle' end;
    elsif clock_timestamp() >= v_started_at + p_time_budget then
      v_stopped_reason := case when p_time_budget <= interval '0' then 'one_batch' else 'time_budget' end;
    end if;
  end loop;

  if v_sums.failed > 0 then
    perform agg.refresh_alerts(p_now);
  end if;
  insert into agg.run_log (
    started_at, finished_at, env, lane, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, windows_backfilled,
    stopped_reason
  )
  values (
    v_started_at, clock_timestamp(), v_env, p_lane, v_batches, v_sums.tasks, v_sums.windows,
    v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_sums.windows_backfilled,
    v_stopped_reason
  );
  return jsonb_build_object(
    'tasks', v_sums.tasks,
    'windows', v_sums.windows,
    'bars_created', v_sums.bars_created,
    'bars_quality_poor', v_sums.bars_quality_poor,
    'bars_corrected', v_sums.bars_corrected,
    'failed', v_sums.failed,
    'batches', v_batches,
    'stopped_reason', v_stopped_reason
  );
end;
$$;
