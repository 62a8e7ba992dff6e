begin;
select plan(17);

call tests.clear();
call tests.add_asset('ACME', '{"optional": ["15m"]}');
call tests.add_asset('BETA');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.add_minutes('BETA', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.run('2025-07-01 03:05+00');
create function pg_temp.found(p_check text, p_now timestamptz default '2025-07-01 03:06+00') returns text
language sql as $$
  select string_agg(concat_ws(' ', c.status, c.subject, c.value), '; ' order by c.subject)
  from public.agg_check(p_now, true) as c
  where c."check" = p_check
$$;

select is(pg_temp.found('tasks'), 'PASS * 5 tasks of 2 active assets', 'every active asset has the tasks that its metadata ask for');
delete from public.data_agg_state as s where s.canonical_symbol = 'ACME' and s.timeframe = '15m';
select is(pg_temp.found('tasks'), 'WARN ACME no task 15m', 'a missing optional task is a warning');
delete from public.data_agg_state as s where s.canonical_symbol = 'ACME' and s.timeframe = '1h';
update public.data_agg_state as s set enabled = false where s.canonical_symbol = 'BETA';
select is(
  pg_temp.found('tasks'), 'FAIL ACME no task 15m, 1h; FAIL BETA no task 5m, 1h',
  'a missing mandatory task is a failure, and so is one that is switched off'
);
select is(
  (select c.hint from public.agg_check('2025-07-01 03:06+00') as c where c.subject = 'ACME' and c."check" = 'tasks'),
  'select sync_agg_state_from_registry(); its result says under refused which metadata are not understood', 'the hint says what to do'
);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
select is(pg_temp.found('tasks'), 'PASS * 5 tasks of 2 active assets', 'and what it says helps');
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'BETA';
select is(pg_temp.found('tasks'), 'PASS * 3 tasks of 1 active assets', 'an asset that is not active needs no tasks');
call tests.set_metadata('ACME', '{agg,enabled}', 'false');
select is(pg_temp.found('tasks'), 'PASS * 0 tasks of 0 active assets', 'nor does one whose metadata want none');
call tests.set_metadata('ACME', '{agg,enabled}', 'true');
call tests.run('2025-07-01 03:05+00');

select is(pg_temp.found('mandatory'), 'PASS * 2 mandatory tasks', '5m and 1h are mandatory');
update public.data_agg_state as s set is_mandatory = false where s.canonical_symbol = 'ACME' and s.timeframe = '5m';
update public.data_agg_state as s set status = 'disabled' where s.canonical_symbol = 'ACME' and s.timeframe = '1h';
select is(
  pg_temp.found('mandatory'), 'FAIL ACME 1h disabled; FAIL ACME 5m not marked mandatory', 'a task that is not marked, or disabled, is a failure'
);
update public.data_agg_state as s set is_mandatory = s.timeframe <> '15m', status = 'idle' where s.canonical_symbol = 'ACME';
update public.data_agg_state as s
set
  next_run_at = case when s.timeframe = '15m' then s.next_run_at else timestamptz '2025-07-01 02:50+00' end,
  last_attempted_at_utc = case when s.timeframe = '15m' then timestamptz '2025-07-01 03:00+00' else '2025-07-01 02:45+00' end
where s.canonical_symbol = 'ACME' and s.timeframe <> '1h';
select is(
  pg_temp.found('mandatory'),
  'WARN ACME 5m due since 2025-07-01 02:50:00+00, but an optional task ran at 2025-07-01 03:00:00+00',
  'an optional task that ran before a mandatory one is a warning'
);

select is(
  pg_temp.found('cursors'), 'PASS * 3 cursors, from 2025-07-01 02:00:00+00 to 2025-07-01 02:55:00+00', 'no cursor is ahead of anything'
);
update public.data_agg_state as s set last_agg_bar_ts_utc = '2025-07-01 03:00+00' where s.canonical_symbol = 'ACME' and s.timeframe = '1h';
select is(
  pg_temp.found('cursors', '2025-07-01 04:30+00'), 'FAIL ACME 1h decided up to 2025-07-01 04:00:00+00, ahead of its source task 5m',
  'a cursor ahead of its source task is a failure'
);
update public.data_agg_state as s set last_agg_bar_ts_utc = '2025-07-01 04:55+00' where s.canonical_symbol = 'ACME' and s.timeframe = '5m';
update public.data_agg_state as s set last_agg_bar_ts_utc = '2025-07-01 02:00+00' where s.canonical_symbol = 'ACME' and s.timeframe = '1h';
select is(
  pg_temp.found('cursors', '2025-07-01 04:30+00'), 'FAIL ACME 5m decided up to 2025-07-01 05:00:00+00, ahead of the clock',
  'and so is one ahead of the clock'
);
call tests.add_asset('NEXT_YEAR', '{"start_utc": "2026-07-01T00:00:00Z"}');
select is(
  pg_temp.found('cursors', '2025-07-01 05:00+00'), 'PASS * 5 cursors, from 2025-07-01 02:00:00+00 to 2026-06-30 23:55:00+00',
  'a start in the future puts the cursor of a task that has decided nothing there'
);

select is(pg_temp.found('streaks'), 'PASS * no task fails', 'no task fails');
do $$
begin
  perform public.agg_start('ACME', '5m', '2025-07-01 03:05+00');
  perform public.agg_finish('ACME', '5m', false, p_fail_kind => 'transient', p_error => 'no network', p_now => '2025-07-01 03:05+00');
end;
$$;
select is(pg_temp.found('streaks'), 'WARN ACME 5m 1 failures in a row, 0 of them hard: no network', 'a failure is a warning');
call tests.fail_three_times('ACME', '1h', '2025-07-01 03:05+00');
select is(
  pg_temp.found('streaks', '2025-07-01 03:20+00'),
  'FAIL ACME 1h 3 failures in a row, 3 of them hard: broken; FAIL ACME 5m 1 failures in a row, 0 of them hard: no network',
  'three hard ones are a failure, and so is a mandatory task that fails for 15 minutes'
);

select * from finish();
rollback;
