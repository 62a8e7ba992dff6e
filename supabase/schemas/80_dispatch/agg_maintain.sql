comment on function public.agg_maintain is
'Runs the maintenance job: an audit of history, registry sync, alerts and their delivery, pruning, removal of bars that metadata.agg.keep does not keep, tasks that a wrong clock has put off, and in the first five minutes of an hour a look at tasks that sleep.
p_env: see agg_run_due. p_now is the clock.
A sync that raises an error, or that waits five seconds for an open change of the registry, is reported in the result, as a warning and as an alert; the rest goes on. Repeating it changes nothing. In a pause (agg_pause) it only refreshes and delivers alerts, and returns paused, alerts_raised and messages_ready. A task that sleeps although it has source bars (a load with the triggers off left no note) is woken.
The audit verifies decided bars as agg_verify does, newest first, then round and round, for a share of the time since the last call (schedule_jobs sets it). It has wrong bars built again by the next run, and raises an alert. An error in it, or in refreshing alerts, is a warning; the rest goes on. Raises invalid_parameter_value for a p_now that is null or infinite.
Bars that are not kept: it removes up to 100,000 that lie behind a floor of agg.floor, then raises floors; what it raises is removed from the next time on.
Returns slices_audited and windows_wrong (null where the audit failed), sync, alerts_raised (null where alerts could not be refreshed), messages_ready (what deliver-alerts was asked to send), rows_pruned, revisions_pruned (at most 40000 a run), bars_removed (null where an error stopped it, which is a warning), tasks_recovered and tasks_woken (null where it did not look).';

create function public.agg_maintain(p_env text default null, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
set statement_timeout = '60s'
-- A session may leave a change of the registry open.
set lock_timeout = '5s'
as $$
declare
  v_audit jsonb;
  v_sync jsonb;
  v_removed integer;
  v_raised integer;
begin
  if p_now is null or not isfinite(p_now) then
    raise exception 'p_now must be finite, not %', coalesce(p_now::text, 'null') using errcode = 'invalid_parameter_value';
  end if;
  if agg.is_paused(p_now) then
    v_raised := agg.refresh_alerts(p_now, null, true);
    return jsonb_build_object('paused', true, 'alerts_raised', v_raised, 'messages_ready', agg.wake_delivery(p_now, true));
  end if;
  -- First: it takes time, and what follows takes locks.
  begin
    v_audit := agg.audit_history(p_env, p_now);
  exception when others then
    raise warning 'the audit failed: % (%)', sqlerrm, sqlstate;
  end;
  -- Before floors are raised: no build that began before that reads what is removed.
  begin
    v_removed := agg.remove_old_bars(100000);
  exception when others then
    raise warning 'bars that are not kept could not be removed: % (%)', sqlerrm, sqlstate;
  end;
  begin
    perform agg.raise_floors(p_now);
    v_sync := public.sync_agg_state_from_registry(p_env);
  exception when others then
    -- Alerts and pruning must go on without it.
    raise warning 'the registry sync failed: % (%)', sqlerrm, sqlstate;
    v_sync := jsonb_build_object('success', false, 'error', case sqlstate
      when '55P03' then 'an open transaction has changed the registry, or tasks, and the sync waits for it'
      else sqlerrm
    end);
  end;
  begin
    perform agg.measure_silence(p_now);
  exception when others then
    raise warning 'the silence of series could not be measured: % (%)', sqlerrm, sqlstate;
  end;
  v_raised := agg.refresh_alerts(p_now, v_sync, true);
  return jsonb_build_object(
    'slices_audited', v_audit -> 'slices_audited',
    'windows_wrong', v_audit -> 'windows_wrong',
    'sync', v_sync,
    'alerts_raised', v_raised,
    'messages_ready', agg.wake_delivery(p_now, not v_sync ? 'error'),
    'rows_pruned', agg.prune_logs(p_now),
    'revisions_pruned', agg.prune_revisions(p_now),
    'tasks_recovered', agg.recover_postponed_tasks(p_now),
    'bars_removed', v_removed,
    'tasks_woken', case when date_part('minute', p_now) < 5 then agg.wake_overlooked_tasks() end
  );
end;
$$;
