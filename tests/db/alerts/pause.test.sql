begin;
select plan(30);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_asset('BETA');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.run('2025-07-01 01:05+00');
update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';
create function pg_temp.run(p_now timestamptz) returns text
language sql as $$ select concat_ws(' ', r ->> 'stopped_reason', r ->> 'windows') from public.agg_run_due(p_now => p_now) as r $$;
create function pg_temp.open_alerts() returns text
language sql as $$
  select coalesce(string_agg(concat_ws(' ', a.kind, a.canonical_symbol, a.timeframe), ', ' order by a.kind, a.canonical_symbol, a.timeframe), 'none')
  from agg.alert as a
  where a.resolved_at is null
$$;
create function pg_temp.state(p_now timestamptz) returns text
language sql as $$
  select concat_ws(' ', h.state, h.due_for, h.explanation) from public.agg_health(p_now) as h where h.canonical_symbol = 'ACME' and h.timeframe = '5m'
$$;
create function pg_temp.checks(p_check text, p_now timestamptz) returns text
language sql as $$
  select string_agg(concat_ws(' ', c.status, c.value, c.hint), '; ') from public.agg_check(p_now, true) as c where c."check" = p_check
$$;

select throws_ok($$ select public.agg_pause('', 'infinity') $$, '22023', 'p_reason must have 1 to 200 characters');
select throws_ok($$ select public.agg_pause(null, 'infinity') $$, '22023', 'p_reason must have 1 to 200 characters');
select throws_ok($$ select public.agg_pause(repeat('x', 201), 'infinity') $$, '22023', 'p_reason must have 1 to 200 characters');
select throws_ok(
  $$ select public.agg_pause('upgrade', '2025-07-01 00:00+00', '2025-07-01 00:00+00') $$, '22023', null, 'a pause must end after it begins'
);
select throws_ok($$ select public.agg_pause('upgrade', null) $$, '22023', null, 'and must have an end');

call tests.add_minutes('ACME', '2025-07-01 01:00+00', '2025-07-01 02:00+00');
set local role service_role;
create temporary table paused as select public.agg_pause('upgrade', '2025-07-01 03:00+00', '2025-07-01 01:06+00') as result;
reset role;
select is(
  (select p.result::text from paused as p),
  '{"paused_by": "service_role", "paused_until": "2025-07-01T03:00:00+00:00", "paused_reason": "upgrade"}', 'agg_pause() says until when, by whom, and why'
);
select is(pg_temp.run('2025-07-01 02:05+00'), 'paused 0', 'a dispatcher finds nothing to do');
select is((select count(*) from agg.change_note as n), 1::bigint, 'and reads no change note');
select is((agg.run_batch(p_now => '2025-07-01 02:05+00')).tasks, 0, 'nor does a single batch');
select is_empty($$ select from public.agg_get_due_tasks('prod', 10, '2025-07-01 02:05+00') $$, 'outside workers get no tasks');
select results_eq(
  'select l.stopped_reason from agg.run_log as l order by l.run_id desc limit 1', $$ values ('paused') $$, 'the run log says so'
);
select is(
  public.agg_maintain(p_now => '2025-07-01 02:10+00')::text, '{"paused": true, "alerts_raised": 0, "messages_ready": 0}', 'agg_maintain() does nothing but refresh and deliver alerts'
);
-- Notes carry the wall clock.
update agg.change_note as n set changed_at = '2025-07-01 01:10+00';
update public.data_agg_state as s set failing_since_utc = '2025-07-01 01:00+00', fail_streak = 1, last_error = 'broken' where s.canonical_symbol = 'BETA' and s.timeframe = '1h';
select is(pg_temp.state('2025-07-01 02:30+00'), 'paused 00:00:00 paused until 2025-07-01 03:00:00+00 by service_role: upgrade', 'agg_health() says that it pauses');
select is(
  pg_temp.checks('pause', '2025-07-01 02:30+00'), 'WARN paused until 2025-07-01 03:00:00+00 by service_role: upgrade select agg_resume(); ends it',
  'so does agg_check()'
);
select matches(pg_temp.checks('bars', '2025-07-01 02:30+00'), '^WARN .*; WARN [^;]*$', 'a bar that is missed in a pause is no failure');
do $$ begin perform agg.refresh_alerts('2025-07-01 02:59+00'); end; $$;
select is(pg_temp.open_alerts(), 'none', 'behind, failing and unread are not raised in a pause');

select is(pg_temp.checks('pause', '2025-07-01 03:00+00'), 'PASS not paused', 'the pause ends by itself');
select is(pg_temp.state('2025-07-01 03:05+00'), 'due 00:05:00 the next window is complete, the next run takes it', 'what is due counts from its end');
do $$ begin perform agg.refresh_alerts('2025-07-01 03:10+00'); end; $$;
select is(pg_temp.open_alerts(), 'none', 'and so do alerts');
do $$ begin perform agg.refresh_alerts('2025-07-01 03:16+00'); end; $$;
select is(
  pg_temp.open_alerts(), 'behind ACME 1h, behind ACME 5m, failing BETA 1h, unread * *', 'where no dispatcher runs then, they are raised'
);

do $$ begin perform public.agg_pause('again', 'infinity', '2025-07-01 03:16+00'); end; $$;
do $$ begin perform agg.refresh_alerts('2025-07-01 03:20+00'); end; $$;
select is(
  pg_temp.open_alerts(), 'behind ACME 1h, behind ACME 5m, failing BETA 1h, unread * *', 'a pause resolves none of them'
);
select is(pg_temp.state('2025-07-01 03:20+00'), 'paused 00:00:00 paused until infinity by postgres: again', 'a pause may have no end');
select is(pg_temp.run('2025-07-01 03:21+00'), 'paused 0', 'and goes on');
select is(public.agg_resume('2025-07-01 03:22+00')::text, '{"resumed": true}', 'agg_resume() ends it');
select is(public.agg_resume('2025-07-01 03:22+00')::text, '{"resumed": false}', 'once');
do $$ begin perform agg.refresh_alerts('2025-07-01 03:22:30+00'); end; $$;
select is(
  pg_temp.open_alerts(), 'behind ACME 1h, behind ACME 5m, failing BETA 1h, unread * *', 'nor does its end, while the trouble lasts'
);
select is(pg_temp.run('2025-07-01 03:23+00'), 'idle 13', 'the next run does all that waited');
select is(pg_temp.checks('pause', '2025-07-01 03:23+00'), 'PASS not paused', 'and agg_check() is content');
update public.data_agg_state as s set failing_since_utc = null, fail_streak = 0, last_error = null where s.canonical_symbol = 'BETA';
do $$ begin perform agg.refresh_alerts('2025-07-01 03:23+00'); end; $$;
select is(pg_temp.open_alerts(), 'none', 'the alerts are resolved');
select is_empty(
  $$ select from pg_catalog.pg_publication_tables as p where p.schemaname = 'agg' $$, 'no publication of ours carries the pause elsewhere'
);

select * from finish();
rollback;
