begin;
select plan(7);

create function pg_temp.cursors(p_symbol text) returns text
language sql as $$
  select string_agg(s.timeframe || ' ' || to_char(s.last_agg_bar_ts_utc at time zone 'UTC', 'DD HH24:MI'), ', ' order by s.run_interval_minutes)
  from public.data_agg_state as s
  where s.canonical_symbol = p_symbol
$$;

call tests.clear();
call tests.add_asset('LEFT');
call tests.add_asset('RIGHT');
call tests.add_basket('BOTH', '{"LEFT": 1, "RIGHT": 1}');
call tests.add_minutes('LEFT', '2025-07-01 00:00+00', '2025-07-02 00:00+00');
call tests.add_minutes('RIGHT', '2025-07-01 00:00+00', '2025-07-01 23:30+00');
do $$ begin perform public.agg_backfill(array['BOTH'], p_now => '2025-07-02 00:05+00'); end; $$;
select is(pg_temp.cursors('BOTH'), '1m 01 23:28, 5m 30 23:55, 1h 30 23:00', 'a series goes on with the last minute of all its components');

-- A worker may be at the windows that it has claimed.
do $$ begin perform public.agg_start('LEFT', '5m', '2025-07-02 00:05+00'); end; $$;
do $$ begin perform public.agg_backfill(array['LEFT'], p_now => '2025-07-02 00:05+00'); end; $$;
select is(pg_temp.cursors('LEFT'), '5m 30 23:55, 1h 30 23:00', 'a task that a worker has claimed keeps its cursor');
do $$ begin perform public.agg_finish('LEFT', '5m', true, p_now => '2025-07-02 00:05+00'); end; $$;

-- Up to a bound, and with hours that follow five minutes that are there.
do $$ begin perform public.agg_backfill(array['RIGHT'], null, null, '2025-07-01 12:02+00', '2025-07-02 00:05+00'); end; $$;
select is(pg_temp.cursors('RIGHT'), '5m 01 11:55, 1h 30 23:00', 'a task goes no further than p_to');
call tests.run('2025-07-02 00:05+00');
select is(pg_temp.cursors('RIGHT'), '5m 01 23:25, 1h 01 22:00', 'and on from there as ever');
call tests.set_metadata('RIGHT', '{agg,optional}', '["4h"]');
do $$ begin perform public.agg_backfill(array['RIGHT'], array['4h'], p_now => '2025-07-02 00:05+00'); end; $$;
select is(pg_temp.cursors('RIGHT'), '5m 01 23:25, 1h 01 22:00, 4h 01 16:00', 'a timeframe that is new goes on with what its source has');
call tests.run('2025-07-02 00:05+00');
select is_empty($$ select v.* from public.agg_verify() as v $$, 'all is built in the end');
select is(
  (select count(*) from public.data_bars as b where b.canonical_symbol = 'BOTH'), 1410::bigint, 'the minutes of the series as well'
);

select * from finish();
rollback;
