begin;
select plan(11);

call tests.clear();
call tests.add_asset('A');
call tests.add_asset('B');
call tests.add_basket('AB', '{"A": 0.5, "B": 0.5}');

create function pg_temp.asleep() returns text
language sql as $$
  select coalesce(string_agg(s.canonical_symbol || ' ' || s.timeframe, ', ' order by s.canonical_symbol, s.run_interval_minutes), 'none')
  from public.data_agg_state as s
  where s.next_run_at = 'infinity'
$$;

call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.run('2025-07-01 01:05+00');
select is(
  pg_temp.asleep(), 'AB 1m, AB 5m, AB 1h, B 5m, B 1h', 'tasks without data sleep, a synthetic series with one component of two among them'
);
call tests.add_minutes('A', '2025-07-01 01:00+00', '2025-07-01 01:10+00');
call tests.run('2025-07-01 01:15+00');
select is(pg_temp.asleep(), 'AB 1m, AB 5m, AB 1h, B 5m, B 1h', 'bars of one component do not help the series');
call tests.add_minutes('B', '2025-07-01 00:00+00', '2025-07-01 01:00+00');
call tests.run('2025-07-01 01:16+00');
select is(
  (select string_agg(format('%s %s', d.canonical_symbol, d.timeframe), ', ' order by d.canonical_symbol)
   from public.derived_data_bars as d where d.timeframe = '1h'),
  'A 1h, AB 1h, B 1h', 'bars of the other wake the series and all that is built from it, in one run'
);

-- A task that an outside worker advances.
call tests.clear();
call tests.add_asset('A');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 00:30+00');
call tests.run('2025-07-01 01:05+00');
select is(pg_temp.asleep(), 'A 5m, A 1h', 'a session that ends in the middle of an hour lets both tasks sleep');
call tests.add_minutes('A', '2025-07-01 00:30+00', '2025-07-01 01:00+00');
do $$ begin perform tests.work('A', '5m', '2025-07-01 01:06+00'); end; $$;
select is(pg_temp.asleep(), 'none', 'a task that agg_finish() advances wakes the task that builds from it');
call tests.run('2025-07-01 01:07+00');
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '1h'), 1::bigint, 'and the next run builds its bar'
);

-- A worker that finds nothing, and one that says so without having looked.
create temporary table finished as
select public.agg_finish('A', '5m', true, p_stats => '{"stopped_reason": "no_source_data"}', p_now => '2025-07-01 01:10+00') as result
from public.agg_start('A', '5m', '2025-07-01 01:10+00');
select is((select f.result ->> 'next_run_at' from finished as f), 'infinity', 'agg_finish() lets a task sleep without source bars');
call tests.add_minute('A', '2025-07-01 01:00+00');
do $$ begin perform public.agg_start('A', '5m', '2025-07-01 01:11+00'); end; $$;
select is(agg.take_notes(1000) > 0, true, 'a note is read while the worker has the task');
truncate finished;
insert into finished
select public.agg_finish('A', '5m', true, p_stats => '{"stopped_reason": "no_source_data"}', p_now => '2025-07-01 01:11+00');
select is((select f.result ->> 'next_run_at' from finished as f), '2025-07-01T01:12:00+00:00', 'agg_finish() looks for source bars itself');

-- What else sets tasks going.
call tests.run('2025-07-02 00:00+00');
select is(pg_temp.asleep(), 'A 5m, A 1h', 'the tasks sleep again');
do $$ begin perform public.agg_bootstrap_cursor('A', '5m'); end; $$;
select is(pg_temp.asleep(), 'none', 'agg_bootstrap_cursor() wakes a task and those that build from it');

select * from finish();
rollback;
