begin;
select plan(2);

call tests.add_rates('2025-07-01 00:00+00', '2025-07-01 02:00+00');
-- Minute 40 is never complete.
delete from public.data_bars as b where b.canonical_symbol = 'USDCHF' and b.ts_utc = '2025-07-01 00:40+00';
call tests.run('2025-07-01 03:00+00');
create function pg_temp.dxy() returns table (timeframe text, ts_utc timestamptz, close double precision, covered integer)
language sql as $$
  select b.timeframe, b.ts_utc, b.close, b.covered_minutes
  from agg.source_bar as b
  where b.canonical_symbol = 'DXY' and b.is_bar
  order by 1, 2
$$;
create temporary table bar_before as select d.* from pg_temp.dxy() as d;

-- Unnoticed: the notes are lost.
set local session_replication_role = replica;
delete from public.data_bars as b
where b.canonical_symbol = 'DXY' and b.ts_utc >= '2025-07-01 00:10+00' and b.ts_utc < '2025-07-01 00:20+00';
update public.data_bars as b set close = 60, high = 60 where b.canonical_symbol = 'DXY' and b.ts_utc = '2025-07-01 01:59+00';
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, source)
values ('DXY', '2025-07-01 00:40+00', 50, 50, 50, 50, 'synthetic');
set local session_replication_role = origin;
delete from agg.change_note;
call tests.run('2025-07-01 03:00+00');
select is(
  public.agg_repair('DXY'), '{"success": true, "tasks": 2, "windows": 16}', 'agg_repair() adds corrections of synthetic minutes'
);
call tests.run('2025-07-01 03:00+00');
select results_eq(
  'select d.* from pg_temp.dxy() as d', 'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() then fixes them, through every level'
);

select * from finish();
rollback;
