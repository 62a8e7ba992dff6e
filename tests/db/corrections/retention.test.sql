begin;
select plan(4);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-03 00:00+00');
call tests.run('2025-07-03 01:00+00');
create function pg_temp.bars(p_day date) returns text
language sql as $$
  select string_agg(format('%s %s', b.timeframe, b.bars), ', ' order by b.timeframe)
  from (
    select d.timeframe, count(*) filter (where d.deleted_at is null) as bars
    from public.derived_data_bars as d
    where d.ts_utc >= p_day and d.ts_utc < p_day + 1
    group by d.timeframe
  ) as b
$$;

call tests.set_metadata('ACME', '{agg,start_utc}', '"2025-07-02T00:00:00Z"');
delete from public.data_bars as b where b.ts_utc < '2025-07-02 00:00+00';
call tests.run('2025-07-03 01:00+00');
select is(pg_temp.bars('2025-07-01'), '1h 24, 5m 288', 'agg_run_due() leaves the bars before a start that was moved on, when their minutes go');
select is(pg_temp.bars('2025-07-02'), '1h 24, 5m 288', 'agg_run_due() keeps the bars behind it');
select is_empty('select from agg.change_note union all select from agg.correction', 'agg_run_due() leaves nothing waiting');

delete from public.data_bars as b where b.ts_utc < '2025-07-02 02:00+00';
call tests.run('2025-07-03 01:00+00');
select is(pg_temp.bars('2025-07-02'), '1h 22, 5m 264', 'agg_run_due() takes away bars behind the start when their minutes go');

select * from finish();
rollback;
