begin;
select plan(4);

call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 01:00+00');

create function pg_temp.stands() returns text
language sql as $$
  select format(
    '%s bars, cursor %s', (select count(*) from public.derived_data_bars as d),
    to_char(s.last_agg_bar_ts_utc at time zone 'UTC', 'HH24:MI')
  )
  from public.data_agg_state as s
  where s.canonical_symbol = 'ACME' and s.timeframe = '5m'
$$;

create temporary table batch (tasks integer, bars bigint);
savepoint before_batch;
insert into batch (tasks, bars)
select b.tasks, b.bars_created from agg.run_batch(p_now => '2025-07-01 06:00+00') as b;
select is(pg_temp.stands(), '0 bars, cursor 23:55', 'the first batch is the 1m of the synthetic series');
insert into batch (tasks, bars)
select b.tasks, b.bars_created from agg.run_batch(p_now => '2025-07-01 06:00+00') as b;
select is(pg_temp.stands(), '12 bars, cursor 00:55', 'agg.run_batch() stores bars and the cursor they stand for');

rollback to savepoint before_batch;
select is(pg_temp.stands(), '0 bars, cursor 23:55', 'rolled back, neither bars nor cursor are left');
call tests.run('2025-07-01 06:00+00');
select is(pg_temp.stands(), '13 bars, cursor 00:55', 'agg.run_batch() does the work after a rollback as if for the first time');

select * from finish();
rollback;
