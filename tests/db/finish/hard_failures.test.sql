begin;
select plan(8);

call tests.clear();
call tests.add_asset('ACME');
-- The rule reads is_mandatory of the task, not the timeframe.
update public.data_agg_state as s set is_mandatory = false where s.timeframe = '1h';

create temporary table failure (try integer, timeframe text, kind text, claimed boolean, status text, hard_fail_streak integer, wait interval);
create function pg_temp.fail(p_try integer, p_timeframe text, p_kind text) returns void
language plpgsql as $$
declare
  v_now constant timestamptz := timestamptz '2025-07-02 00:00+00' + p_try * interval '2 hours';
  v_claimed boolean;
begin
  v_claimed := public.agg_start('ACME', p_timeframe, v_now) -> 'claimed';
  if v_claimed then
    perform public.agg_finish('ACME', p_timeframe, false, p_fail_kind => p_kind, p_error => 'broken', p_now => v_now);
  end if;
  insert into failure (try, timeframe, kind, claimed, status, hard_fail_streak, wait)
  select p_try, p_timeframe, p_kind, v_claimed, s.status, s.hard_fail_streak, s.next_run_at - v_now
  from public.data_agg_state as s
  where s.timeframe = p_timeframe;
end;
$$;

do $$
begin
  perform pg_temp.fail(1, '1h', 'hard'), pg_temp.fail(2, '1h', 'transient'), pg_temp.fail(3, '1h', 'hard'), pg_temp.fail(4, '1h', 'hard');
  perform pg_temp.fail(5, '1h', 'hard');
  for v_try in 1..10 loop
    perform pg_temp.fail(v_try, '5m', 'hard');
  end loop;
end;
$$;

select results_eq(
  $$ select f.try, f.claimed, f.status, f.hard_fail_streak from failure as f where f.timeframe = '1h' order by f.try $$,
  $$
    values (1, true, 'idle', 1), (2, true, 'idle', 1), (3, true, 'idle', 2), (4, true, 'disabled', 3), (5, false, 'disabled', 3)
  $$,
  'agg_finish() disables an optional task after three hard failures without a success between them'
);
select results_eq(
  $$ select f.try, f.claimed, f.status, f.hard_fail_streak from failure as f where f.timeframe = '5m' order by f.try $$,
  $$
    select t.try, true, case when t.try < 3 then 'idle' else 'hard_failed' end, t.try
    from generate_series(1, 10) as t (try)
    order by t.try
  $$,
  'agg_finish() marks a mandatory task hard_failed after three hard failures and never disables it'
);
select is(
  (select f.wait from failure as f where f.timeframe = '5m' and f.try = 10), interval '1 hour',
  'agg_finish() lets a mandatory task that failed ten times retry within the hour'
);
create function pg_temp.due(p_now timestamptz) returns text
language sql as $$
  select coalesce(string_agg(d.timeframe, ' ' order by d.timeframe), '') from public.agg_get_due_tasks('prod', 10, p_now) as d
$$;
select is(pg_temp.due('2025-07-02 20:59:59+00'), '', 'agg_get_due_tasks() does not return it before its backoff is over');
select is(pg_temp.due('2025-07-02 21:00:00+00'), '5m', 'agg_get_due_tasks() returns it then, and not the disabled task');
do $$
begin
  perform public.agg_start('ACME', '5m', '2025-07-02 21:00+00');
  perform public.agg_finish('ACME', '5m', true, p_now => '2025-07-02 21:00+00');
end;
$$;
select results_eq(
  $$
    select s.status, s.fail_streak, s.hard_fail_streak, s.last_error, s.total_runs
    from public.data_agg_state as s
    where s.timeframe = '5m'
    order by 1
  $$,
  $$ values ('idle', 0, 0, null::text, 11::bigint) $$,
  'agg_finish() clears streaks and error after a success'
);
select is(
  (select s.enabled from public.data_agg_state as s where s.timeframe = '1h'), true,
  'agg_finish() does not change enabled, which the registry sets'
);
do $$ begin perform public.agg_bootstrap_cursor('ACME', '1h'); end; $$;
select is(pg_temp.due('2025-07-02 23:00+00'), '1h 5m', 'agg_bootstrap_cursor() lets a task disabled by failures run again');

select * from finish();
rollback;
