begin;
select plan(9);

-- Two symbols that are up to date. Then two days of the past of one of them are loaded, without agg_backfill.
call tests.clear();
call tests.add_asset('LIVE');
call tests.add_asset('OLD');
call tests.add_minutes('LIVE', '2025-07-03 22:00+00', '2025-07-03 23:55+00');
call tests.add_minutes('OLD', '2025-07-03 22:00+00', '2025-07-03 23:55+00');
call tests.run('2025-07-04 00:00+00');
call tests.add_minutes('OLD', '2025-07-01 22:00+00', '2025-07-03 22:00+00');

create function pg_temp.bars(p_symbol text) returns text
language sql as $$
  select format('%s from %s to %s', count(*), to_char(min(d.ts_utc) at time zone 'UTC', 'DD HH24:MI'), to_char(max(d.ts_utc) at time zone 'UTC', 'DD HH24:MI'))
  from public.derived_data_bars as d
  where d.canonical_symbol = p_symbol and d.timeframe = '5m' and d.deleted_at is null
$$;
create procedure pg_temp.next_minutes(p_from timestamptz)
language sql as $$
  call tests.add_minutes('LIVE', p_from, p_from + interval '5 minutes');
  call tests.add_minutes('OLD', p_from, p_from + interval '5 minutes');
$$;

select is(pg_temp.bars('OLD'), '23 from 03 22:00 to 03 23:50', 'a load behind the cursor is work that waits');
call pg_temp.next_minutes('2025-07-03 23:55+00');
call tests.run_batch('2025-07-04 00:05+00', 100);
select is(pg_temp.bars('LIVE'), '24 from 03 22:00 to 03 23:55', 'a batch builds the live windows first');
select is(pg_temp.bars('OLD'), '124 from 03 13:40 to 03 23:55', 'then the newest of the load, at most as many windows as a batch has');

call pg_temp.next_minutes('2025-07-04 00:00+00');
update public.data_bars as b set high = 2 where b.canonical_symbol = 'LIVE' and b.ts_utc = '2025-07-03 22:00+00';
call tests.run_batch('2025-07-04 00:10+00', 100);
select is(pg_temp.bars('LIVE'), '25 from 03 22:00 to 04 00:00', 'what falls due meanwhile is in the next batch');
select is(
  (select d.high from public.derived_data_bars as d where (d.canonical_symbol, d.timeframe, d.ts_utc) = ('LIVE', '5m', '2025-07-03 22:00+00')),
  2::double precision, 'so is the late bar of another symbol, whatever the load has left'
);
select is(pg_temp.bars('OLD'), '175 from 03 09:30 to 04 00:00', 'which shares the batch with it');

update public.data_bars as b set high = 2 where b.canonical_symbol = 'OLD' and b.ts_utc = '2025-07-03 23:59+00';
call tests.run_batch('2025-07-04 00:10+00', 100);
select is(
  (select d.high from public.derived_data_bars as d where (d.canonical_symbol, d.timeframe, d.ts_utc) = ('OLD', '5m', '2025-07-03 23:55+00')),
  2::double precision, 'and so is a late bar of the symbol that was loaded'
);
call tests.run('2025-07-04 00:10+00');
select is(pg_temp.bars('OLD'), '601 from 01 22:00 to 04 00:00', 'in the end all is there');
select is_empty($$ select v.* from public.agg_verify() as v $$, 'as its source says');

select * from finish();
rollback;
