begin;
select plan(7);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.run('2025-07-01 03:05+00');
update agg.run_log as l set started_at = '2025-07-01 03:05+00', finished_at = '2025-07-01 03:05:01+00';
create function pg_temp.found(p_all boolean) returns text
language sql as $$
  select string_agg(concat_ws(' ', c."check", c.subject, c.status, c.value), '; ')
  from public.agg_check('2025-07-01 03:06+00', p_all) as c
  where not p_all or c."check" = 'verdict'
$$;

select is(pg_temp.found(false), 'verdict * PASS 17 checks, 0 warn, 0 fail', 'where all is well the verdict is the only row');
select is(pg_temp.found(true), pg_temp.found(false), 'it is the same with all checks');
select is(
  (select count(*) from public.agg_check('2025-07-01 03:06+00', true) as c), 18::bigint, 'each of which has a row then'
);
do $$ begin perform public.agg_pause('upgrade', '2025-07-01 04:00+00', '2025-07-01 03:06+00'); end; $$;
select is(
  pg_temp.found(false), 'verdict * WARN 17 checks, 1 warn, 0 fail; pause * WARN paused until 2025-07-01 04:00:00+00 by postgres: upgrade',
  'what warns follows the verdict'
);
update public.data_agg_state as s set is_mandatory = false;
insert into agg.alert (kind, canonical_symbol, timeframe, message, raised_at)
select 'uncorrected', s.canonical_symbol, s.timeframe, 'broken', '2025-07-01 03:00+00' from public.data_agg_state as s;
select matches(pg_temp.found(false), '^verdict \* FAIL 17 checks, 2 warn, 1 fail; mandatory ', 'a check counts once, by its worst row');
select is(
  (select c.hint from public.agg_check('2025-07-01 03:06+00') as c limit 1), 'the rows below say what needs attention', 'the verdict points to them'
);
select is(
  (select count(*) from public.agg_check('2025-07-01 03:06+00') as c where c.status = 'PASS'), 0::bigint, 'no row passes then'
);

select * from finish();
rollback;
