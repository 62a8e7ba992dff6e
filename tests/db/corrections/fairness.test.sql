begin;
select plan(4);

call tests.clear();
call tests.add_asset('FLOOD');
call tests.add_asset('LIVE');
call tests.add_minutes('FLOOD', '2025-07-01 00:00+00', '2025-07-02 00:05+00');
call tests.add_minutes('LIVE', '2025-07-01 00:00+00', '2025-07-02 00:05+00');
call tests.run('2025-07-02 00:05+00');
create function pg_temp.corrected(p_symbol text) returns bigint
language sql as $$
  select count(*) from public.derived_data_bars as d where d.canonical_symbol = p_symbol and d.timeframe = '5m' and d.high = 2
$$;

update public.data_bars as b set high = 2 where b.canonical_symbol = 'FLOOD' and b.ts_utc < '2025-07-02 00:00+00';
update public.data_bars as b set high = 2 where b.canonical_symbol = 'LIVE' and b.ts_utc = '2025-07-01 12:34+00';
-- 00:00 of the second day can be decided now.
call tests.run_batch('2025-07-02 00:10+00', 20);
select is(pg_temp.corrected('LIVE'), 1::bigint, 'agg.run_batch() corrects one symbol beside the flood of another');
select is(pg_temp.corrected('FLOOD'), 10::bigint, 'agg.run_batch() shares the windows of a batch evenly');
select results_eq(
  $$
    select s.canonical_symbol, s.last_agg_bar_ts_utc
    from public.data_agg_state as s
    where s.timeframe = '5m'
    order by 1
  $$,
  $$ values ('FLOOD', timestamptz '2025-07-02 00:00+00'), ('LIVE', '2025-07-02 00:00+00') $$,
  'agg.run_batch() decides the live windows of both meanwhile'
);

-- One task a batch: after its share, the flood goes to the end of the queue.
update public.data_bars as b set high = 2 where b.canonical_symbol = 'LIVE' and b.ts_utc = '2025-07-01 23:01+00';
do $$
begin
  perform agg.run_batch(p_now => '2025-07-02 00:10+00', p_batch_windows => 10, p_limit => 1);
  perform agg.run_batch(p_now => '2025-07-02 00:10+00', p_batch_windows => 10, p_limit => 1);
end;
$$;
select results_eq(
  $$ values (pg_temp.corrected('LIVE'), pg_temp.corrected('FLOOD')) $$, 'values (2::bigint, 20::bigint)',
  'agg.run_batch() takes tasks with corrections in turn'
);

select * from finish();
rollback;
