comment on function public.agg_metrics is
'Returns how the database does at p_now as text for Prometheus, version 0.0.4.
Labels are bounded: by timeframe, state, lane, table and kind. Symbols stand in the ten samples of pgbars_slowest_lag_seconds alone.
Counters (those that end in _total) count what the dispatchers have done since the installation, also beyond what agg.run_log keeps. Reads only.';

create function public.agg_metrics(p_now timestamptz default now())
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan would take longer than the run.
set jit = off
set statement_timeout = '60s'
as $$
  with health as materialized (
    select h.canonical_symbol, h.timeframe, h.state, extract(epoch from h.lag) as lag, extract(epoch from h.due_for) as due_for
    from public.agg_health(p_now) as h
  ),
  kept as materialized (
    select
      count(*) filter (where l.stopped_reason <> 'busy') as runs, sum(extract(epoch from l.finished_at - l.started_at)) as seconds,
      sum(l.windows) as windows, sum(l.bars_created) as bars_created, sum(l.bars_quality_poor) as bars_quality_poor,
      sum(l.bars_corrected) as bars_corrected, sum(l.failed) as failed
    from agg.run_log as l
  ),
  total as materialized (
    select
      coalesce(sum(u.runs), 0) as runs, round(coalesce(sum(u.seconds)::numeric, 0), 3) as seconds, coalesce(sum(u.windows), 0) as windows,
      coalesce(sum(u.bars_created), 0) as bars_created, coalesce(sum(u.bars_quality_poor), 0) as bars_quality_poor,
      coalesce(sum(u.bars_corrected), 0) as bars_corrected, coalesce(sum(u.failed), 0) as failed
    from (
      select k.* from kept as k
      union all
      select t.runs, t.seconds::numeric, t.windows, t.bars_created, t.bars_quality_poor, t.bars_corrected, t.failed from agg.run_total as t
    ) as u
  ),
  run as materialized (
    select j.lane, max(j.started_at) as started_at, max(j.took) as longest, (array_agg(j.took order by j.started_at desc))[1] as took
    from agg.job_runs(p_now - interval '1 hour') as j
    group by j.lane
  ),
  metric as (
    select
      'pgbars_info' as name, 'gauge' as type, 'Version and environment of this database; the value is 1.' as help,
      jsonb_build_array(jsonb_build_object('value', 1, 'labels', jsonb_build_object('version', agg.version(), 'env', agg.current_env(null)))) as samples
    union all
    select 'pgbars_paused', 'gauge', 'Whether agg_pause has stopped the work.', jsonb_build_array(jsonb_build_object('value', agg.is_paused(p_now)::integer))
    union all
    select 'pgbars_tasks', 'gauge', 'Tasks by timeframe and state, as agg_health has them.', jsonb_agg(jsonb_build_object(
      'value', c.tasks, 'labels', jsonb_build_object('timeframe', c.timeframe, 'state', c.state)
    ))
    from (select h.timeframe, h.state, count(*) as tasks from health as h group by h.timeframe, h.state) as c
    union all
    select 'pgbars_lag_seconds', 'gauge', 'For how long the next window of the task that is furthest behind could have been decided.', jsonb_agg(jsonb_build_object(
      'value', c.lag, 'labels', jsonb_build_object('timeframe', c.timeframe)
    ))
    from (
      select h.timeframe, round(max(h.lag) filter (where h.state not in ('switched_off', 'market_closed')), 3) as lag
      from health as h
      group by h.timeframe
    ) as c
    union all
    select 'pgbars_due_seconds', 'gauge', 'For how long a task has waited for a dispatcher, at most.', jsonb_agg(jsonb_build_object(
      'value', c.due_for, 'labels', jsonb_build_object('timeframe', c.timeframe)
    ))
    from (
      select h.timeframe, round(max(h.due_for) filter (where h.state not in ('switched_off', 'disabled')), 3) as due_for
      from health as h
      group by h.timeframe
    ) as c
    union all
    select 'pgbars_slowest_lag_seconds', 'gauge', 'The lag of the ten tasks that are furthest behind.', jsonb_agg(jsonb_build_object(
      'value', round(c.lag, 3), 'labels', jsonb_build_object('timeframe', c.timeframe, 'symbol', c.canonical_symbol)
    ))
    from (
      select h.canonical_symbol, h.timeframe, h.lag
      from health as h
      where h.lag > 0 and h.state not in ('switched_off', 'market_closed')
      order by h.lag desc, h.canonical_symbol, h.timeframe
      limit 10
    ) as c
    union all
    select v.name, 'counter', v.help, jsonb_build_array(jsonb_build_object('value', v.value))
    from total as t
    cross join lateral (
      values
        ('pgbars_runs_total', 'Calls of the dispatcher that did not find another one at work.', t.runs),
        ('pgbars_run_seconds_total', 'What these calls took.', t.seconds),
        ('pgbars_windows_total', 'Windows that were decided or built again.', t.windows),
        ('pgbars_bars_total', 'Bars that windows gave.', t.bars_created),
        ('pgbars_poor_bars_total', 'Bars of poor quality among them.', t.bars_quality_poor),
        ('pgbars_corrected_bars_total', 'Bars that changed because their source had.', t.bars_corrected),
        ('pgbars_failures_total', 'Tasks and corrections that failed.', t.failed)
    ) as v (name, help, value)
    union all
    select v.name, 'gauge', v.help, jsonb_agg(jsonb_build_object('value', v.value, 'labels', jsonb_build_object('lane', r.lane)))
    from run as r
    cross join lateral (
      values
        ('pgbars_last_run_seconds', 'What the last run of the dispatch job took.', round(extract(epoch from r.took), 3)),
        ('pgbars_longest_run_seconds', 'What the longest run of the last hour took.', round(extract(epoch from r.longest), 3)),
        ('pgbars_last_run_timestamp_seconds', 'When the last run of the dispatch job began.', round(extract(epoch from r.started_at), 3))
    ) as v (name, help, value)
    group by v.name, v.help
    union all
    select v.name, 'gauge', v.help, jsonb_agg(jsonb_build_object('value', v.value, 'labels', jsonb_build_object('kind', c.kind)))
    from (
      select
        k.kind, count(n.changed_at) as corrections,
        greatest(round(extract(epoch from p_now - min(n.changed_at) filter (where isfinite(n.changed_at))), 3), 0) as oldest
      from (values ('correction', false), ('backfill', true)) as k (kind, is_backfill)
      left join agg.correction as n on n.is_backfill = k.is_backfill
      group by k.kind
      union all
      select 'unread', count(*), greatest(round(extract(epoch from p_now - min(n.changed_at)), 3), 0) from agg.change_note as n
    ) as c
    cross join lateral (
      values
        ('pgbars_pending_corrections', 'What waits to be built again (correction, backfill), and changes that no dispatcher has read (unread).', c.corrections::numeric),
        ('pgbars_pending_oldest_seconds', 'For how long the oldest of these has waited.', coalesce(c.oldest, 0))
    ) as v (name, help, value)
    group by v.name, v.help
    union all
    select 'pgbars_alerts', 'gauge', 'Open alerts by severity.', jsonb_agg(jsonb_build_object('value', c.alerts, 'labels', jsonb_build_object('severity', c.severity)))
    from (
      select s.severity, count(a.alert_id) as alerts
      from (values ('critical'), ('warning')) as s (severity)
      left join agg.alert as a on a.severity = s.severity and a.resolved_at is null
      group by s.severity
    ) as c
    union all
    select 'pgbars_alerts_by_kind', 'gauge', 'Open alerts by kind and severity; no sample where none is open.', jsonb_agg(jsonb_build_object(
      'value', c.alerts, 'labels', jsonb_build_object('kind', c.kind, 'severity', c.severity)
    ))
    from (select a.kind, a.severity, count(*) as alerts from agg.alert as a where a.resolved_at is null group by a.kind, a.severity) as c
    union all
    select 'pgbars_messages_waiting', 'gauge', 'Messages of alerts that wait to be delivered, by target.', jsonb_agg(jsonb_build_object(
      'value', t.waiting, 'labels', jsonb_build_object('target', t.name)
    ))
    from public.agg_alert_targets(p_now) as t
    union all
    select 'pgbars_oldest_audit_seconds', 'gauge', 'How long ago the bar was verified that was verified longest ago.', jsonb_build_array(jsonb_build_object(
      'value', greatest(round(extract(epoch from p_now - min(coalesce(a.verified_since, a.added_at))), 3), 0)
    ))
    from agg.audit as a
    union all
    select 'pgbars_table_bytes', 'gauge', 'Size of a table with its indexes.', jsonb_agg(jsonb_build_object('value', b.bytes, 'labels', jsonb_build_object('table', b.name)))
    from (
      select r.name, sum(pg_total_relation_size(p.oid)) as bytes
      from (
        values ('data_bars', 'public.data_bars'::regclass), ('derived_data_bars', 'public.derived_data_bars'),
          ('derived_data_bars_revision', 'public.derived_data_bars_revision')
      ) as r (name, oid)
      -- A table of bars may have been partitioned.
      cross join lateral (select r.oid union select t.relid from pg_partition_tree(r.oid) as t) as p (oid)
      group by r.name
    ) as b
    union all
    select 'pgbars_database_bytes', 'gauge', 'Size of the database.', jsonb_build_array(jsonb_build_object('value', pg_database_size(current_database())))
  )
  select string_agg(agg.metric_lines(m.name, m.type, m.help, m.samples), '' order by m.name collate "C") from metric as m;
$$;
