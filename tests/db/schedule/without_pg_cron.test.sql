begin;
select plan(3);

select hasnt_extension('pg_cron', 'this database has no pg_cron');
select is(
  public.schedule_jobs(),
  '{"pg_cron": false, "scheduled": [], "removed": [], "message": "nothing is scheduled: pg_cron is not installed in this database"}',
  'schedule_jobs() schedules nothing without pg_cron and says so'
);
select is(
  public.schedule_jobs('test') -> 'pg_cron', 'false', 'schedule_jobs() may be repeated'
);

select * from finish();
rollback;
