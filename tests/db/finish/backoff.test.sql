begin;
select plan(6);

call tests.clear();
call tests.add_asset('ACME');

create temporary table failure (kind text, try integer, status text, wait interval, fail_streak integer, hard_fail_streak integer, last_error text);
create function pg_temp.fail(p_try integer, p_kind text) returns void
language plpgsql as $$
declare
  v_now constant timestamptz := timestamptz '2025-07-02 00:00+00' + p_try * interval '2 hours';
begin
  perform public.agg_start('ACME', '5m', v_now);
  perform public.agg_finish('ACME', '5m', false, p_fail_kind => p_kind, p_error => 'try ' || p_try, p_now => v_now);
  insert into failure (kind, try, status, wait, fail_streak, hard_fail_streak, last_error)
  select p_kind, p_try, s.status, s.next_run_at - v_now, s.fail_streak, s.hard_fail_streak, s.last_error
  from public.data_agg_state as s
  where s.timeframe = '5m';
end;
$$;
do $$
begin
  for v_try in 1..50 loop
    perform pg_temp.fail(v_try, 'hard');
  end loop;
  perform public.agg_bootstrap_cursor('ACME', '5m');
  for v_try in 1..50 loop
    perform pg_temp.fail(v_try, 'transient');
  end loop;
end;
$$;

select results_eq(
  $$ select f.wait from failure as f where f.kind = 'hard' and f.try <= 8 order by f.try $$,
  $$
    values (interval '1 minute'), (interval '2 minutes'), (interval '4 minutes'), (interval '8 minutes'),
      (interval '16 minutes'), (interval '32 minutes'), (interval '1 hour'), (interval '1 hour')
  $$,
  'agg_finish() doubles the backoff after hard failures, up to an hour'
);
select is_empty(
  $$ select f.try from failure as f where f.kind = 'hard' and f.try >= 7 and f.wait <> interval '1 hour' $$,
  'agg_finish() never backs off further, fifty failures in a row'
);
select is_empty(
  $$
    select f.try from failure as f
    where f.kind = 'transient'
      and (f.wait, f.status, f.fail_streak, f.hard_fail_streak, f.last_error) <> (interval '1 minute', 'idle', f.try, 0, 'try ' || f.try)
  $$,
  'agg_finish() tries again every minute after transient failures, and raises no hard streak'
);
do $$
begin
  perform public.agg_start('ACME', '5m', '2025-07-10 00:00+00');
  perform public.agg_finish('ACME', '5m', true, p_now => '2025-07-10 00:00+00');
  perform pg_temp.fail(100, 'hard');
end;
$$;
select results_eq(
  'select f.wait, f.fail_streak from failure as f where f.try = 100 order by 1',
  $$ values (interval '1 minute', 1) $$,
  'agg_finish() starts over after a success'
);
select throws_ok(
  $$ select public.agg_finish('ACME', '5m', false, p_fail_kind => 'soft') $$, '22023', null,
  'agg_finish() refuses an unknown p_fail_kind'
);
select throws_ok(
  $$ select public.agg_finish('ACME', '5m', null) $$, '22023', null, 'agg_finish() refuses p_success null'
);

select * from finish();
rollback;
