begin;
select plan(14);

call tests.clear();
call tests.add_asset('A');
call tests.add_asset('B');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
call tests.add_minutes('B', '2025-07-01 00:00+00', '2025-07-01 03:00+00');
create view pg_temp.task as
select s.canonical_symbol, s.timeframe, s.next_run_at, s.queued_at = '-infinity' as is_together
from public.data_agg_state as s
where s.timeframe = '5m';
create function pg_temp.claimed(p_now timestamptz, p_limit integer default 10) returns text
language sql as $$
  select array_to_string(array(select y from unnest(c.symbols) as y order by y), ',') from agg.claim_due_tasks('prod', p_limit, p_now) as c
$$;
create function pg_temp.due_at() returns timestamptz
language sql as $$ select q.due_at from agg.queue as q where q.run_interval_minutes = 5 $$;

select is(pg_temp.due_at(), '-infinity', 'a sync makes a row for each queue, which is read');
call tests.run('2025-07-01 01:00+00');
select results_eq(
  'select * from pg_temp.task order by 1',
  $$ values ('A', '5m', timestamptz '2025-07-01 01:05+00', true), ('B', '5m', '2025-07-01 01:05+00', true) $$,
  'tasks that are up to date are due together'
);
select is(pg_temp.claimed('2025-07-01 01:04+00'), '', 'claim_due_tasks() takes none before they are due');
select is(pg_temp.due_at(), '2025-07-01 01:05+00', 'and notes when they are');

call tests.run('2025-07-01 01:05+00');
-- Counted as soon as they are written.
create temp table before as select n_tup_hot_upd as hot, n_tup_upd as updated from pg_catalog.pg_stat_xact_user_tables where relid = 'public.data_agg_state'::regclass;
call tests.run('2025-07-01 01:10+00');
select results_eq(
  $$ select n.n_tup_upd - b.updated, n.n_tup_hot_upd - b.hot
     from pg_catalog.pg_stat_xact_user_tables as n cross join before as b where n.relid = 'public.data_agg_state'::regclass $$,
  'values (2::bigint, 2::bigint)',
  'a tick moves their cursors without writing to an index'
);

-- Set by hand, next_run_at makes a task due alone.
update public.data_agg_state set next_run_at = '2025-07-01 01:12+00' where canonical_symbol = 'B' and timeframe = '5m';
select is(pg_temp.claimed('2025-07-01 01:12+00'), 'B', 'claim_due_tasks() takes a task whose next_run_at was set by hand, while the others are not due');
update public.data_agg_state set next_run_at = '2025-07-01 01:13+00' where canonical_symbol = 'B' and timeframe = '5m';
select is(pg_temp.claimed('2025-07-01 01:15+00'), 'A,B', 'and both where both are due');

-- A has run at 01:15, and B has not.
call tests.run('2025-07-01 01:15+00');
update public.data_agg_state set due_together_at = '2025-07-01 01:15+00', next_run_at = '2025-07-01 01:15+00'
where canonical_symbol = 'B' and timeframe = '5m';
update agg.queue set due_at = '2025-07-01 01:15+00' where run_interval_minutes = 5;
select is(pg_temp.claimed('2025-07-01 01:19+00'), 'B', 'of those that are due together none is taken before it is due');
select is(pg_temp.claimed('2025-07-01 01:20+00', 1), 'B', 'and the ones that have been due for longest come first');

-- A row that was written past the functions: the queue is not read before it is due.
update agg.queue set due_at = '2025-07-01 02:00+00' where run_interval_minutes = 5;
select is(pg_temp.claimed('2025-07-01 01:20+00'), '', 'a queue that is not due is not read');
do $$ begin perform agg.recover_postponed_tasks('2025-07-01 01:20+00'); end; $$;
select is(pg_temp.claimed('2025-07-01 01:20+00'), 'B', 'maintenance has every queue read');

-- A queue of its own, without a row.
update public.data_agg_state set task_priority = 50, next_run_at = '2025-07-01 01:30+00', due_together_at = '2025-07-01 01:30+00' where timeframe = '5m';
delete from agg.queue;
select is(pg_temp.claimed('2025-07-01 01:30+00'), 'A,B', 'a queue without a row is read');

-- Off for a while, and on again.
update public.data_agg_state set task_priority = 100 where timeframe = '5m';
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
call tests.run('2025-07-01 02:00+00');
update public.core_asset_registry_all set active = false where canonical_symbol = 'B';
call tests.run('2025-07-01 02:30+00');
call tests.run('2025-07-01 02:31+00');
select is(pg_temp.due_at(), '2025-07-01 02:35+00', 'the queue goes on without a task that is switched off');
update public.core_asset_registry_all set active = true where canonical_symbol = 'B';
select is(pg_temp.claimed('2025-07-01 02:31+00'), 'B', 'a task that is switched on again is due at once');

select * from finish();
rollback;
