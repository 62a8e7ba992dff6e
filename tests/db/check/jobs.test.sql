begin;
select plan(17);

call tests.clear();
create function pg_temp.found(p_check text, p_now timestamptz) returns text
language sql as $$
  select string_agg(concat_ws(' ', c.status, c.subject, c.value), '; ' order by c.subject)
  from public.agg_check(p_now, true) as c
  where c."check" = p_check
$$;
create procedure pg_temp.log(p_started_at timestamptz, p_took interval, p_stopped_reason text, p_lane integer default 1)
language sql as $$
  insert into agg.run_log (started_at, finished_at, env, lane, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, stopped_reason)
  values (p_started_at, p_started_at + p_took, 'prod', p_lane, 1, 1, 1, 1, 0, 0, 0, p_stopped_reason)
$$;

select is(pg_temp.found('dispatcher', now()), 'WARN * no run yet', 'a new installation has not run yet');
call tests.add_asset('ACME');
select is(pg_temp.found('dispatcher', now()), 'WARN * no run yet', 'nor has one with an asset');
select is(pg_temp.found('dispatcher', now() + interval '6 minutes'), 'FAIL * no run yet', 'after five minutes that is a failure');
call pg_temp.log('2025-07-01 00:00+00', '2.04 seconds', 'idle');
select is(
  pg_temp.found('dispatcher', '2025-07-01 00:01+00'), 'PASS * last run 2025-07-01 00:00:02.04+00, the longest of the last hour took 2.0 s',
  'a dispatcher that runs'
);
select is(pg_temp.found('dispatcher', '2025-07-01 00:06+00'), 'FAIL * no run since 2025-07-01 00:00:02.04+00', 'and one that stopped');
-- The job of 00:01 runs four batches in a row.
call pg_temp.log('2025-07-01 00:01:00+00', '20 seconds', 'one_batch');
call pg_temp.log('2025-07-01 00:01:20+00', '20 seconds', 'one_batch');
call pg_temp.log('2025-07-01 00:01:40+00', '15 seconds', 'one_batch');
call pg_temp.log('2025-07-01 00:01:10+00', '0 seconds', 'busy');
call pg_temp.log('2025-07-01 00:01:55+00', '1 second', 'idle');
-- And that of 00:02 the same in another lane.
call pg_temp.log('2025-07-01 00:02:00+00', '50 seconds', 'one_batch', 2);
call pg_temp.log('2025-07-01 00:02:00+00', '3 seconds', 'idle');
select is(
  pg_temp.found('dispatcher', '2025-07-01 00:03+00'), 'PASS * last run 2025-07-01 00:02:50+00, the longest of the last hour took 56.0 s',
  'the batches of a run count together, lanes and runs apart'
);
call pg_temp.log('2025-07-01 00:02:50.5+00', '11 seconds', 'idle', 2);
select is(
  pg_temp.found('dispatcher', '2025-07-01 00:04+00'), 'WARN lane 2 1 runs took longer than 60 s, the longest 61.5 s, at 2025-07-01 00:02:00+00',
  'a run of more than a minute is a warning'
);
select matches(pg_temp.found('dispatcher', '2025-07-01 01:05+00'), '^FAIL \* ', 'an hour later it is forgotten');

select is(pg_temp.found('jobs', now()), 'PASS * pg_cron is not installed', 'without pg_cron there are no jobs');
-- Stands for the table of pg_cron, which this database does not have.
create schema cron;
create table cron.job (jobid bigint generated always as identity, jobname text, schedule text, command text, database text, active boolean);
select is(
  pg_temp.found('jobs', now()), 'FAIL pgbars:dispatch missing; FAIL pgbars:maintain missing', 'with pg_cron a job that is missing is a failure'
);
insert into cron.job (jobname, schedule, command, database, active)
select l.job_name, l.schedule, l.command, current_database(), true from agg.job_list() as l;
select is(pg_temp.found('jobs', now()), 'PASS * 2 jobs', 'those of agg.job_list() are what is wanted');
update cron.job as j set active = false where j.jobname = 'pgbars:dispatch';
update cron.job as j set command = 'select 1' where j.jobname = 'pgbars:maintain';
select is(
  pg_temp.found('jobs', now()), 'FAIL pgbars:dispatch not active; WARN pgbars:maintain has another command', 'one that is not active, or another, is seen'
);
delete from cron.job;
insert into cron.job (jobname, schedule, command, database, active)
select l.job_name, l.schedule, l.command, current_database(), true from agg.job_list() as l
union all
values
  ('dxy', '* * * * *', 'select calc_dxy_range_derived(now() - interval ''5 minutes'', now())', current_database(), true),
  ('agg', '* * * * *', 'select catchup_aggregation_range(''EURUSD'', ''5m'', null)', current_database(), true),
  ('off', '* * * * *', 'select catchup_aggregation_range(''EURUSD'', ''5m'', null)', current_database(), false),
  ('elsewhere', '* * * * *', 'select catchup_aggregation_range(''EURUSD'', ''5m'', null)', 'elsewhere', true),
  ('mine', '* * * * *', 'select 1', current_database(), true);
select is(
  pg_temp.found('jobs', now()),
  'WARN agg active, and does the work of the dispatcher: select catchup_aggregation_range(''EURUSD'', ''5m'', null); '
    'FAIL dxy active, and does the work of the dispatcher: select calc_dxy_range_derived(now() - interval ''5 minutes'', now())',
  'jobs of an older deployment that are active are seen, and no others'
);

select is(pg_temp.found('alerts', now()), 'PASS * none', 'there are no alerts');
insert into agg.alert (kind, canonical_symbol, timeframe, message, raised_at, resolved_at)
values
  ('metadata', 'ACME', '*', 'agg.sesion is not a key (left out: key)', now(), null),
  ('unread', '*', '*', 'no dispatcher has read what changed', now(), null),
  ('unsynced', '*', '*', 'gone', now() - interval '1 day', now()),
  ('behind', 'ACME', '5m', 'reported by the check bars', now(), null);
select is(
  pg_temp.found('alerts', now()),
  'WARN metadata ACME agg.sesion is not a key (left out: key); WARN unread no dispatcher has read what changed',
  'alerts that no other check reports are rows'
);

select is(
  (select string_agg(c."check", ' ') from public.agg_check(now(), true) as c where c.status = 'PASS'),
  'tasks mandatory cursors streaks quality series components price_range derived_1m pause audit set_aside_readers rows_left',
  'agg_check() lists its checks in one order, each once where all is well'
);
select is_empty($$ select from public.agg_check(now()) as c where c.status <> 'PASS' and c.hint is null $$, 'every problem has a hint');

select * from finish();
rollback;
