create function agg.refresh_alerts(p_now timestamptz, p_sync jsonb default null)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_raised integer;
begin
  with wanted as materialized (
    select
      case when s.is_mandatory then 'hard_failed' else 'disabled' end as kind,
      s.canonical_symbol, s.timeframe,
      format('%s hard failures in a row: %s', s.hard_fail_streak, s.last_error) as message
    from public.data_agg_state as s
    where s.enabled and s.hard_fail_streak >= 3
    union all
    select 'behind', h.canonical_symbol, h.timeframe, h.explanation
    from public.agg_health(p_now) as h
    where h.state in ('overdue', 'never_ran') and h.due_for > interval '15 minutes'
    union all
    select 'refused', f.item ->> 'canonical_symbol', '*', string_agg(f.item ->> 'problem', '; ')
    from jsonb_array_elements(p_sync -> 'refused') as f (item)
    group by f.item ->> 'canonical_symbol'
    union all
    select 'unsynced', '*', '*', p_sync ->> 'error'
    where p_sync ? 'error'
    union all
    select
      'unread', '*', '*',
      format(
        'no dispatcher has read what changed since %s%s', min(n.noted_at),
        ': the open transaction of backend ' || agg.new_tasks_holder() || ' has added assets'
      )
    from agg.change_note as n
    having min(n.noted_at) < p_now - interval '15 minutes'
    union all
    select 'uncorrected', k.canonical_symbol, k.timeframe, format('%s tries to build %s again failed: %s', k.failures, k.spans, k.error)
    from agg.correction as k
    where k.failures >= 3 and k.error is not null
  ),
  resolved as (
    update agg.alert as a
    set resolved_at = p_now
    where a.resolved_at is null
      and (a.kind <> 'unsynced' or p_sync is not null)
      and (a.kind <> 'refused' or p_sync ? 'refused')
      and (a.kind, a.canonical_symbol, a.timeframe) not in (
        select w.kind, w.canonical_symbol, w.timeframe from wanted as w
      )
  )
  insert into agg.alert (kind, canonical_symbol, timeframe, message, raised_at)
  select w.kind, w.canonical_symbol, w.timeframe, w.message, p_now
  from wanted as w
  on conflict (kind, canonical_symbol, timeframe) where resolved_at is null do nothing;
  get diagnostics v_raised = row_count;
  return v_raised;
end;
$$;

create function agg.prune_logs(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_pruned integer;
  v_cron_rows integer;
begin
  delete from agg.run_log as r where r.finished_at < p_now - interval '14 days';
  get diagnostics v_pruned = row_count;
  delete from agg.alert as a where a.resolved_at < p_now - interval '90 days';
  delete from agg.correction as k
  where not exists (
    select from public.data_agg_state as s where s.canonical_symbol = k.canonical_symbol and s.timeframe = k.timeframe
  );
  if to_regclass('cron.job_run_details') is not null then
    execute format(
      -- Runs are numbered in order, which dates those that a restart or a refused connection left without a time. A
      -- removed job leaves its runs behind: they are known by their command.
      $sql$
        delete from cron.job_run_details as d
        where (d.command like '%%public.agg_run_due(%%' or d.command like '%%public.agg_maintain(%%')
          and coalesce(d.end_time, d.start_time, (
            select coalesce(l.end_time, l.start_time)
            from cron.job_run_details as l
            where l.runid > d.runid and coalesce(l.end_time, l.start_time) is not null
            order by l.runid
            limit 1
          )) < %L::timestamptz - interval '3 days'
      $sql$,
      p_now
    );
    get diagnostics v_cron_rows = row_count;
  end if;
  return v_pruned + coalesce(v_cron_rows, 0);
end;
$$;

create function public.agg_maintain(p_env text default null, p_now timestamptz default now())
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan of a run over all tasks would take longer than the run.
set jit = off
set statement_timeout = '60s'
-- Somebody may leave a change of the registry open.
set lock_timeout = '5s'
as $$
declare
  v_sync jsonb;
begin
  begin
    v_sync := public.sync_agg_state_from_registry(p_env);
  exception when others then
    -- Alerts and pruning must go on without it.
    raise warning 'the registry sync failed: % (%)', sqlerrm, sqlstate;
    v_sync := jsonb_build_object('success', false, 'error', case sqlstate
      when '55P03' then 'an open transaction has changed the registry, or tasks, and the sync waits for it'
      else sqlerrm
    end);
  end;
  return jsonb_build_object(
    'sync', v_sync,
    'alerts_raised', agg.refresh_alerts(p_now, v_sync),
    'rows_pruned', agg.prune_logs(p_now)
  );
end;
$$;

revoke execute on function agg.refresh_alerts(timestamptz, jsonb) from public, anon, authenticated, service_role;
revoke execute on function agg.prune_logs(timestamptz) from public, anon, authenticated, service_role;
revoke execute on function public.agg_maintain(text, timestamptz) from public, anon, authenticated, service_role;
grant execute on function public.agg_maintain(text, timestamptz) to service_role;

comment on function agg.refresh_alerts(timestamptz, jsonb) is
  'Raises an alert for every task with three hard failures in a row, every task that no dispatcher has run for 15 minutes though due, every task with a correction that failed three times in a row, every asset that a sync refused and a sync that failed (p_sync is what it returned; null leaves these alerts alone), and changes that no dispatcher has read for 15 minutes; resolves those whose cause is gone. Returns how many are new.';
comment on function agg.prune_logs(timestamptz) is
  'Drops run log rows older than 14 days, alerts resolved 90 days ago, corrections of tasks that are gone, and our own rows of cron.job_run_details older than 3 days.';
comment on function public.agg_maintain(text, timestamptz) is
  'The maintenance job: registry sync, alerts, pruning. A sync that raises, or waits for five seconds for an open change of the registry, is reported in the result, as a warning and as an alert, and the rest goes on. Repeating it changes nothing.';
