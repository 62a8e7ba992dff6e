begin;
select plan(14);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:30+00');
-- The clock of the test is in 2025; updated_at holds the wall clock, so it is set back.
create function pg_temp.state(p_timeframe text, p_now timestamptz) returns text
language plpgsql as $$
begin
  update public.data_agg_state as s set updated_at = '2025-07-01 00:00+00';
  return (
    select h.state || coalesce(', ' || nullif(h.lag, interval '0') || ' behind', '')
    from public.agg_health(p_now) as h
    where h.canonical_symbol = 'ACME' and h.timeframe = p_timeframe
  );
end;
$$;

select is(pg_temp.state('5m', '2025-07-01 00:20+00'), 'never_ran, 00:10:00 behind', 'agg_health() sees a task that has never run');
call tests.run_batch('2025-07-01 01:00+00', 2);
select is(pg_temp.state('5m', '2025-07-01 01:00+00'), 'catching_up, 00:40:00 behind', 'agg_health() sees a task with windows left');
call tests.run('2025-07-01 01:10+00');
select is(pg_temp.state('5m', '2025-07-01 01:14:59+00'), 'current', 'agg_health() sees a task that is up to date');
select is(
  pg_temp.state('5m', '2025-07-01 01:20:01+00'), 'overdue, 00:05:01 behind', 'agg_health() sees a task that no dispatcher runs any more'
);
select isnt(pg_temp.state('5m', '2025-07-01 01:20:00+00'), 'overdue, 00:05:00 behind', 'agg_health() gives a dispatcher five minutes');
call tests.run('2025-07-01 03:00+00');
select is(
  pg_temp.state('5m', '2025-07-01 03:00+00'), 'waiting_for_data, 01:20:00 behind', 'agg_health() sees a task at the data frontier'
);
select is(
  pg_temp.state('1h', '2025-07-01 03:00+00'), 'waiting_for_source, 00:55:00 behind', 'agg_health() sees a task that waits for its source'
);
do $$ begin perform public.agg_start('ACME', '5m', '2025-07-01 03:01+00'); end; $$;
select is(pg_temp.state('5m', '2025-07-01 03:01+00'), 'running, 01:21:00 behind', 'agg_health() sees a claimed task');
do $$ begin perform public.agg_finish('ACME', '5m', false, p_fail_kind => 'transient', p_error => 'net', p_now => '2025-07-01 03:02+00'); end; $$;
select is(pg_temp.state('5m', '2025-07-01 03:02+00'), 'failing, 01:22:00 behind', 'agg_health() sees a task that failed');
call tests.fail_three_times('ACME', '5m', '2025-07-01 03:02+00');
select is(pg_temp.state('5m', '2025-07-01 03:02+00'), 'hard_failed, 01:22:00 behind', 'agg_health() sees a mandatory task that fails hard');
update public.data_agg_state as s set is_mandatory = false where s.timeframe = '1h';
call tests.fail_three_times('ACME', '1h', '2025-07-01 03:02+00');
select is(pg_temp.state('1h', '2025-07-01 03:02+00'), 'disabled, 00:57:00 behind', 'agg_health() sees a task that failures disabled');
select results_eq(
  $$ select h.timeframe, h.explanation ~ 'broken' from public.agg_health('2025-07-01 03:02+00') as h order by 1 $$,
  $$ values ('1h', true), ('5m', true) $$,
  'agg_health() explains failures with their error'
);
update public.core_asset_registry_all as r set active = false where r.canonical_symbol = 'ACME';
select is(pg_temp.state('5m', '2025-07-01 03:02+00'), 'switched_off, 01:22:00 behind', 'agg_health() sees a task that the registry does not want');
select results_eq(
  $$ select h.canonical_symbol, h.timeframe, h.explanation <> '' from public.agg_health('2025-07-01 03:02+00') as h $$,
  $$ values ('ACME', '5m', true), ('ACME', '1h', true) $$,
  'agg_health() returns every task, by symbol and duration, with an explanation'
);

select * from finish();
rollback;
