begin;
select plan(6);

select hasnt_extension('pg_cron', 'this database has no pg_cron');
select is(
  public.schedule_jobs(),
  '{"pg_cron": false, "scheduled": [], "removed": [], "env": "prod", "flag": "active", "lanes": 1, "audit_percent": 5, "message": "nothing is scheduled: pg_cron is not installed in this database"}',
  'schedule_jobs() schedules nothing without pg_cron and says so'
);
select is(
  public.schedule_jobs('TEST') - 'message',
  '{"pg_cron": false, "scheduled": [], "removed": [], "env": "TEST", "flag": "test_active", "lanes": 1, "audit_percent": 5}',
  'schedule_jobs() says which environment it has set up, and what assets go by'
);

select throws_ok(
  $$ select public.schedule_jobs('te st') $$, '22023', '''te st'' is not the name of an environment: a letter, then up to 31 letters, digits, _ or -',
  'schedule_jobs() refuses what is not a name of an environment'
);
do $$ begin perform public.schedule_jobs(); end; $$;
select is((select e.env from agg.environment as e), 'TEST', 'schedule_jobs() without an environment keeps it');
do $$ begin perform public.schedule_jobs('prod'); end; $$;
select is((select e.env from agg.environment as e), 'prod', 'schedule_jobs() with one changes it');

select * from finish();
rollback;
