begin;
select plan(6);

call tests.clear();
call tests.add_asset('A', '{"optional": ["15m"], "mandatory": ["4h"]}');
call tests.add_asset('B');
create function pg_temp.claimed(p_now timestamptz) returns text
language sql as $$
  select concat_ws(' ', c.timeframe, array_to_string(c.symbols, ',')) from agg.claim_due_tasks('prod', 10, p_now) as c
$$;
create procedure pg_temp.due(p_timeframe text, p_at timestamptz)
language sql as $$
  update public.data_agg_state as s set next_run_at = p_at where s.timeframe = p_timeframe
$$;
call pg_temp.due('5m', '2025-07-01 12:05+00');
call pg_temp.due('1h', '2025-07-01 12:00+00');
call pg_temp.due('4h', '2025-07-01 11:55+00');
call pg_temp.due('15m', '2025-07-01 06:00+00');

select is(pg_temp.claimed('2025-07-01 12:00+00'), '1h A,B', 'claim_due_tasks() takes shorter timeframes first');
call pg_temp.due('4h', '2025-07-01 11:54:59+00');
select is(pg_temp.claimed('2025-07-01 12:00+00'), '4h A', 'but one of which a task has been due for more than five minutes before them');
call pg_temp.due('4h', '2025-07-01 12:04+00');
select is(pg_temp.claimed('2025-07-01 12:05+00'), '5m A,B', 'five minutes are not more');
select is(pg_temp.claimed('2025-07-01 12:05:01+00'), '1h A,B', 'of several the one that has been due for longest');
call pg_temp.due('1h', '2025-07-01 13:00+00');
select is(pg_temp.claimed('2025-07-01 12:06+00'), '5m A,B', 'and no optional one before a mandatory one, however long it has been due');

-- Woken by its source: it has not been waiting for a dispatcher since its window began.
update public.data_agg_state as s set next_run_at = 'infinity', last_stopped_reason = 'cursor_at_frontier' where s.timeframe = '1h';
update public.data_agg_state as s set last_attempted_at_utc = '2025-07-01 12:05+00', last_agg_bar_ts_utc = '2025-07-01 12:00+00' where s.timeframe = '5m';
do $$ begin perform agg.wake_dependents(array['A', 'B'], '5m'); end; $$;
select results_eq(
  $$ select s.canonical_symbol, s.next_run_at from public.data_agg_state as s where s.timeframe = '1h' order by 1 $$,
  $$ values ('A', timestamptz '2025-07-01 12:05+00'), ('B', '2025-07-01 12:05+00') $$,
  'a task that its source has woken counts as due since then'
);

select * from finish();
rollback;
