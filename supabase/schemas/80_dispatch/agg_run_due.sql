comment on function public.agg_run_due is
  'The dispatcher: runs batches in the caller''s transaction until nothing is due (idle) or p_time_budget of wall clock is over after a batch (time_budget; interval ''0'' is one batch); returns at once when another dispatcher is at work (busy). p_env: assets of which environment (null: that of the database). Transactions that add assets wait for one that has read change notes, so do not keep it open. Writes one row of agg.run_log. The job of agg.job_list calls it batch by batch and commits each. Returns tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, batches, stopped_reason.';

create function public.agg_run_due(
  p_env text default null,
  p_limit integer default 10000,
  p_now timestamptz default now(),
  p_time_budget interval default interval '40 seconds',
  p_batch_windows integer default 100000
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
  v_sums agg.batch_result := row(0, 0, 0, 0, 0, 0, 0);
begin
  if p_now is null or not isfinite(p_now) or p_time_budget is null
    or coalesce(p_limit, 0) < 1 or coalesce(p_batch_windows, 0) < 1
  then
    raise exception 'p_now and p_time_budget must not be null, p_now must be finite, p_limit and p_batch_windows at least 1'
      using errcode = 'invalid_parameter_value';
  end if;
  -- Held to the end of the transaction, so that no dead or pooled session can keep it.
  if not pg_try_advisory_xact_lock(hashtextextended('pgbars.agg_run_due', 0)) then
    v_stopped_reason := 'busy';
  end if;

  while v_stopped_reason is null loop
    v_batch := agg.run_batch(v_env, p_limit, p_now, p_batch_windows);
    v_batches := v_batches + (v_batch.tasks > 0)::integer;
    v_sums := agg.sum_batches(v_sums, v_batch);
    if v_batch.tasks = 0 and v_batch.notes = 0 then
      v_stopped_reason := 'idle';
    elsif clock_timestamp() >= v_started_at + p_time_budget then
      v_stopped_reason := 'time_budget';
    end if;
  end loop;

  if v_sums.failed > 0 then
    perform agg.refresh_alerts(p_now);
  end if;
  insert into agg.run_log (
    started_at, finished_at, env, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, stopped_reason
  )
  values (
    v_started_at, clock_timestamp(), v_env, v_batches, v_sums.tasks, v_sums.windows,
    v_sums.bars_created, v_sums.bars_quality_poor, v_sums.bars_corrected, v_sums.failed, v_stopped_reason
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
