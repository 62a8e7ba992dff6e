begin;
select plan(12);

-- Three days of a symbol that nothing has been built of, and one that is up to date.
call tests.clear();
call tests.add_asset('LIVE');
call tests.add_minutes('LIVE', '2025-07-03 22:00+00', '2025-07-03 23:55+00');
call tests.run('2025-07-04 00:00+00');
call tests.add_asset('NEW');
call tests.add_minutes('NEW', '2025-07-01 00:00+00', '2025-07-04 00:00+00');
call tests.add_minutes('LIVE', '2025-07-03 23:55+00', '2025-07-04 00:00+00');
create function pg_temp.bars(p_symbol text, p_timeframe text) returns text
language sql as $$
  select format('%s from %s', count(*), to_char(min(d.ts_utc) at time zone 'UTC', 'DD HH24:MI'))
  from public.derived_data_bars as d
  where d.canonical_symbol = p_symbol and d.timeframe = p_timeframe and d.deleted_at is null
$$;

select is(
  public.agg_backfill(array['NEW'], p_now => '2025-07-04 00:05+00'), '{"success": true, "tasks": 1, "windows": 863}',
  'agg_backfill() says how many windows of how many tasks are history'
);
select results_eq(
  $$ select s.timeframe, s.last_agg_bar_ts_utc from public.data_agg_state as s where s.canonical_symbol = 'NEW' order by s.run_interval_minutes $$,
  $$ values ('5m', timestamptz '2025-07-03 23:50+00'), ('1h', '2025-06-30 23:00+00') $$,
  'a task goes on with the window of its last source bar'
);
-- Hours of NEW that were due long ago step over what is not built yet; then the five minutes of both; then the hours of both.
call tests.run_batch('2025-07-04 00:05+00', 100);
call tests.run_batch('2025-07-04 00:05+00', 100);
select is(pg_temp.bars('NEW', '5m'), '1 from 03 23:55', 'its live window is built with those of others');
select is(pg_temp.bars('LIVE', '5m'), '24 from 03 22:00', 'which are not late');
call tests.run_batch('2025-07-04 00:05+00', 100);
call tests.run_batch('2025-07-04 00:05+00', 100);
select is(pg_temp.bars('NEW', '5m'), '1 from 03 23:55', 'no history is built while a task is due');
call tests.run_batch('2025-07-04 00:05+00', 100);
select is(pg_temp.bars('NEW', '5m'), '101 from 03 15:35', 'where none is, a batch of history is, the newest first');
update public.data_bars as b set high = 2 where b.canonical_symbol = 'LIVE' and b.ts_utc = '2025-07-03 22:00+00';
call tests.run_batch('2025-07-04 00:05+00', 100);
select is(
  (select d.high from public.derived_data_bars as d where (d.canonical_symbol, d.timeframe, d.ts_utc) = ('LIVE', '5m', '2025-07-03 22:00+00')),
  2::double precision, 'a late bar is corrected before the rest of it'
);
select is(pg_temp.bars('NEW', '5m'), '101 from 03 15:35', 'and history waits');
-- The next windows fall due meanwhile.
call tests.add_minutes('NEW', '2025-07-04 00:00+00', '2025-07-04 00:05+00');
call tests.add_minutes('LIVE', '2025-07-04 00:00+00', '2025-07-04 00:05+00');
call tests.run_batch('2025-07-04 00:10+00', 100);
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '5m' and d.ts_utc = '2025-07-04 00:00+00'), 2::bigint,
  'and are built first'
);
call tests.run('2025-07-04 00:10+00');
select is(pg_temp.bars('NEW', '5m') || ', ' || pg_temp.bars('NEW', '1h'), '865 from 01 00:00, 72 from 01 00:00', 'in the end all is there, at every level');
select is_empty($$ select v.* from public.agg_verify() as v $$, 'as its source says');
select is_empty('select p.* from public.agg_pending() as p', 'and nothing waits');

select * from finish();
rollback;
