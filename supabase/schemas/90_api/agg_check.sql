comment on function public.agg_check is
'Says whether everything is as it should be at p_now: first a verdict of PASS, WARN or FAIL, then what needs attention.
The first row is the check verdict: the worst status, and how many checks there are, warn and fail. A row follows for each subject that is not as it should be; value says what was found, hint what to do. With p_all also a row PASS for each check that passes (subject *). What a closed market (session and calendar) has no bars for is not missed.
tasks: every active asset has the tasks that its metadata ask for, 5m and 1h among them. mandatory: these are marked mandatory, never disabled, and run before others. cursors: none is ahead of the clock, or of its source task. streaks: no task fails.
bars: each task has the bar of the last window that it should have decided a minute ago: 5m bars younger than 16 minutes, with a delay of 300 s. quality: 95 % of the bars of the last 24 windows are good, by timeframe. Neither asks sparse markets for bars.
series: computed series have at least three bars in the last five minutes (WARN: one or two). components: so do their components, one bar each. price_range: DXY is from 80 to 120, on average over its last hour.
derived_1m: derived_data_bars holds no 1m bar that is not deleted. pause: agg_pause has not stopped the work. dispatcher: it has run in the last five minutes, and no run of the last hour took more than 60 seconds. jobs: those of agg.job_list are there and active, and no other active job does their work. alerts: those that no other check reports. audit: agg_maintain has verified every bar in the last 30 days.
set_aside_readers and rows_left: what still reads tables that a move set aside, and rows that it did not take over.
Reads only.';

create function public.agg_check(p_now timestamptz default now(), p_all boolean default false)
returns table ("check" text, subject text, status text, value text, hint text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Compiling the plan would take longer than the run.
set jit = off
set statement_timeout = '60s'
as $$
  with found as (
    select t.* from agg.check_tasks(p_now) as t
    union all
    select b.* from agg.check_bars(p_now) as b
    union all
    select s.* from agg.check_series(p_now) as s
    union all
    select j.* from agg.check_jobs(p_now) as j
    union all
    select a.* from agg.check_audit(p_now) as a
    union all
    select o.* from agg.check_older_deployment() as o
  ),
  judged as materialized (
    select f.*, bool_or(f.status <> 'PASS') over (partition by f.check_name) as has_problem from found as f
  ),
  verdict as (
    select
      count(*) as checks,
      count(*) filter (where c.warns and not c.fails) as warn,
      count(*) filter (where c.fails) as fail
    from (
      select bool_or(j.status = 'WARN') as warns, bool_or(j.status = 'FAIL') as fails from judged as j group by j.check_name
    ) as c
  )
  select r.check_name, r.subject, r.status, r.value, r.hint
  from (
    select
      'verdict' as check_name, '*' as subject,
      case when v.fail > 0 then 'FAIL' when v.warn > 0 then 'WARN' else 'PASS' end as status,
      format('%s checks, %s warn, %s fail', v.checks, v.warn, v.fail) as value,
      case when v.fail + v.warn > 0 then 'the rows below say what needs attention' end as hint
    from verdict as v
    union all
    select j.check_name, j.subject, j.status, j.value, j.hint
    from judged as j
    where j.status <> 'PASS' or (p_all and not j.has_problem)
  ) as r
  order by
    array_position(
      array[
        'verdict', 'tasks', 'mandatory', 'cursors', 'streaks', 'bars', 'quality', 'series', 'components', 'price_range',
        'derived_1m', 'pause', 'dispatcher', 'jobs', 'alerts', 'audit', 'set_aside_readers', 'rows_left'
      ],
      r.check_name
    ),
    r.status, r.subject;
$$;
