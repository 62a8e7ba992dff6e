begin;
select plan(9);

call tests.clear();
call tests.add_asset('A');
call tests.add_asset('B');
call tests.add_asset('C');
call tests.add_asset('D');
call tests.add_asset('E');

create function pg_temp.claimed(p_limit integer, p_now timestamptz, p_lanes integer default 1, p_env text default 'prod') returns text
language sql as $$
  select concat_ws(' ', c.timeframe, array_to_string(c.symbols, ',')) from agg.claim_due_tasks(p_env, p_limit, p_now, p_lanes) as c
$$;

select is(pg_temp.claimed(10, '2025-07-01 00:09:59+00'), '', 'claim_due_tasks() claims nothing before anything is due');
update public.data_agg_state as s
set next_run_at = timestamptz '2025-07-01 00:00+00' + (ascii('F') - ascii(s.canonical_symbol)) * interval '1 minute'
where s.timeframe = '5m';
select is(pg_temp.claimed(2, '2025-07-01 02:00+00'), '5m E,D', 'claim_due_tasks() takes first what has been due for longest');
update public.data_agg_state as s set task_priority = 1 where s.canonical_symbol = 'B' and s.timeframe = '5m';
select is(pg_temp.claimed(3, '2025-07-01 02:00+00'), '5m B,E,D', 'claim_due_tasks() puts priority before that');
select is(pg_temp.claimed(10, '2025-07-01 02:00+00'), '5m B,E,D,C,A', 'claim_due_tasks() takes tasks of several priorities together, of one timeframe');
select is(pg_temp.claimed(10, '2025-07-01 00:02:30+00'), '5m E,D', 'claim_due_tasks() leaves out what is not due yet');
select is(pg_temp.claimed(10, '2025-07-01 02:00+00', 2), '5m B,E,D', 'claim_due_tasks() leaves half of what is due to the other of two lanes');
select is(pg_temp.claimed(10, '2025-07-01 02:00+00', 4), '5m B,E', 'claim_due_tasks() takes a quarter with four lanes, rounded up');
select is(pg_temp.claimed(1, '2025-07-01 02:00+00', 2), '5m B', 'claim_due_tasks() takes no more than p_limit');

update public.core_asset_registry_all as r set test_active = r.canonical_symbol = 'C';
select is(pg_temp.claimed(10, '2025-07-01 02:00+00', 1, 'test'), '5m C', 'claim_due_tasks() takes tasks of assets that are active in p_env');

select * from finish();
rollback;
