begin;
select plan(14);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.run('2025-07-01 03:05+00');
-- The clock of the test is in 2025; updated_at holds the wall clock, so it is set back.
update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';
create function pg_temp.found(p_check text, p_now timestamptz) returns text
language sql as $$
  select string_agg(concat_ws(' ', c.status, c.subject, c.value), '; ' order by c.subject)
  from public.agg_check(p_now, true) as c
  where c."check" = p_check
$$;
create function pg_temp.hints(p_check text, p_now timestamptz) returns text
language sql as $$ select string_agg(c.hint, '; ' order by c.subject) from public.agg_check(p_now, true) as c where c."check" = p_check $$;

select is(
  pg_temp.found('bars', '2025-07-01 03:10:59+00'), 'PASS * 2 tasks up to date, the market of 0 is closed',
  'the bar of 02:55 is the one to expect until 03:11'
);
select is(
  pg_temp.found('bars', '2025-07-01 03:11+00'), 'WARN ACME 5m no bar of 2025-07-01 03:00:00+00 or later, the last is 2025-07-01 02:55:00+00',
  'at 03:11, when it is 16 minutes old, it is no longer enough'
);
select matches(pg_temp.hints('bars', '2025-07-01 03:11+00'), '^due: ', 'the hint is what agg_health() says');
select matches(pg_temp.found('bars', '2025-07-01 03:16+00'), '^FAIL ACME 5m ', 'a task that no dispatcher runs is a failure');
call tests.run('2025-07-01 03:16+00');
select matches(pg_temp.found('bars', '2025-07-01 03:17+00'), '^WARN ACME 5m ', 'one that ran and has no data is a warning');
select matches(pg_temp.hints('bars', '2025-07-01 03:17+00'), '^waiting_for_data: ', 'and the hint says that data are missing');
call tests.add_minutes('ACME', '2025-07-01 03:00+00', '2025-07-01 03:02+00');
call tests.add_minutes('ACME', '2025-07-01 03:05+00', '2025-07-01 03:10+00');
call tests.run('2025-07-01 03:16+00');
select is(pg_temp.found('bars', '2025-07-01 03:20+00'), 'PASS * 2 tasks up to date, the market of 0 is closed', 'bars are back');
call tests.add_minutes('ACME', '2025-07-01 03:10+00', '2025-07-01 03:12+00');
call tests.run('2025-07-01 03:20+00');
select is(
  pg_temp.hints('bars', '2025-07-01 03:21+00'), 'too few minutes for a bar; the minutes are in data_bars from 2025-07-01 03:10:00+00 on',
  'a window with too few minutes for a bar is said to be one'
);
call tests.set_metadata('ACME', '{agg,sparse}', 'true');
select is(
  pg_temp.found('bars', '2025-07-01 04:00+00'), 'PASS * 0 tasks up to date, the market of 0 is closed', 'of a sparse market no bar is missed'
);
call tests.set_metadata('ACME', '{agg,sparse}', 'false');
call tests.add_asset('NEW', '{"start_utc": "2025-07-01T04:00:00Z"}');
select unalike(pg_temp.found('bars', '2025-07-01 04:10+00'), '%NEW%', 'nor before the start of an asset');

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.run('2025-07-01 03:05+00');
select is(
  pg_temp.found('quality', '2025-07-01 03:06+00'), 'PASS * 1h: 100.0 % of 3 bars, 5m: 100.0 % of 24 bars', 'the last 24 bars of each timeframe are good'
);
delete from public.data_bars as b where b.ts_utc in ('2025-07-01 01:10+00', '2025-07-01 01:11+00');
call tests.run('2025-07-01 03:05+00');
select is(
  pg_temp.found('quality', '2025-07-01 03:06+00'), 'PASS * 1h: 100.0 % of 3 bars, 5m: 95.8 % of 24 bars', 'one poor bar in 24 is within 5 %'
);
delete from public.data_bars as b where b.ts_utc in ('2025-07-01 01:20+00', '2025-07-01 01:21+00');
call tests.run('2025-07-01 03:05+00');
select is(pg_temp.found('quality', '2025-07-01 03:06+00'), 'WARN 5m 91.6 % of 24 bars are good', 'two are not');
select matches(pg_temp.hints('quality', '2025-07-01 03:06+00'), 'most of all of ACME;', 'the hint names the asset');

select * from finish();
rollback;
