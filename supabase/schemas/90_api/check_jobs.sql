comment on function agg.check_jobs is
  'The checks pause, dispatcher, jobs and alerts of agg_check: a row PASS for each, and a row for each subject that does not pass.';

create function agg.check_jobs(p_now timestamptz)
returns table (check_name text, subject text, status text, value text, hint text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  with run as materialized (
    select r.* from agg.job_runs(p_now - interval '1 hour') as r
  ),
  last_run as (
    select
      (select max(l.finished_at) from agg.run_log as l) as at_utc,
      (select min(s.created_at) from public.data_agg_state as s) as first_task_at
  ),
  cron_job as materialized (
    select j.job ->> 'job_name' as job_name, j.job ->> 'command' as command, (j.job -> 'active')::boolean as active
    from unnest(agg.cron_jobs()) as j (job)
  ),
  wanted_job as materialized (
    select l.job_name, l.command from agg.job_list() as l where to_regclass('cron.job') is not null
  )
  select 'pause', '*', 'PASS', 'not paused', null
  union all
  select
    'pause', '*', 'WARN', format('paused until %s by %s: %s', e.paused_until, e.paused_by, e.paused_reason), 'select agg_resume(); ends it'
  from agg.environment as e
  where e.paused_until > p_now
  union all
  select
    'dispatcher', '*', 'PASS',
    format('last run %s, the longest of the last hour took %s s', r.at_utc, (select round(extract(epoch from max(d.took)), 1) from run as d)), null
  from last_run as r
  union all
  select
    'dispatcher', '*',
    -- A new installation has not had its first minute yet.
    case when r.at_utc is null and (r.first_task_at is null or r.first_task_at > p_now - interval '5 minutes') then 'WARN' else 'FAIL' end,
    coalesce('no run since ' || r.at_utc, 'no run yet'),
    'select schedule_jobs(); without pg_cron call agg_run_due() each minute'
  from last_run as r
  where r.at_utc is null or r.at_utc < p_now - interval '5 minutes'
  union all
  select
    'dispatcher', 'lane ' || d.lane, 'WARN',
    format('%s runs took longer than 60 s, the longest %s s, at %s', count(*), round(extract(epoch from max(d.took)), 1), (array_agg(d.started_at order by d.took desc))[1]),
    'a backfill does; otherwise select schedule_jobs(p_lanes => 2);'
  from run as d
  where d.took > interval '60 seconds'
  group by d.lane
  union all
  select
    'jobs', '*', 'PASS', case when to_regclass('cron.job') is null then 'pg_cron is not installed' else count(*) || ' jobs' end, null
  from wanted_job as w
  union all
  select
    'jobs', w.job_name, case when c.active then 'WARN' else 'FAIL' end,
    case when c.active then 'has another command' when c.job_name is null then 'missing' else 'not active' end,
    -- A job that is scheduled again stays inactive.
    case when not c.active then format('select cron.unschedule(%L); ', w.job_name) else '' end || 'select schedule_jobs();'
  from wanted_job as w
  left join cron_job as c on c.job_name = w.job_name
  where c.active is not true or c.command <> w.command
  union all
  select
    'jobs', coalesce(c.job_name, c.command), case when c.command ~ '\m(calc_dxy_range_derived|pgbars_before)\M' then 'FAIL' else 'WARN' end,
    'active, and does the work of the dispatcher: ' || left(c.command, 200),
    format('select cron.unschedule(%L); the jobs of pgbars do it', c.job_name)
  from cron_job as c
  where c.active
    and not exists (select from wanted_job as w where w.job_name = c.job_name)
    and c.command ~ '\m(calc_dxy_range_derived|calc_dxy_range_1m|aggregate_1m_to_5m_window|aggregate_5m_to_1h_window|catchup_aggregation_range|pgbars_before)\M'
  union all
  select 'alerts', '*', 'PASS', 'none', null
  union all
  select
    'alerts', concat_ws(' ', a.kind, nullif(a.canonical_symbol, '*'), nullif(a.timeframe, '*')),
    case a.severity when 'critical' then 'FAIL' else 'WARN' end, left(a.message, 500),
    'docs/operations.md says what to do'
  from agg.alert as a
  where a.resolved_at is null and a.kind not in ('hard_failed', 'disabled', 'failing', 'behind');
$$;
