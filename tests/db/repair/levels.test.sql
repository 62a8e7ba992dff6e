begin;
select plan(5);

call tests.clear();
call tests.add_asset('ACME');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-01 04:00+00', p_vol => 1);
call tests.run('2025-07-01 05:00+00');
create temporary table bar_before as
select d.timeframe, d.ts_utc, to_jsonb(d) - 'updated_at' - 'created_at' as bar from public.derived_data_bars as d;
delete from public.derived_data_bars as d where d.timeframe = '5m' and d.ts_utc = '2025-07-01 01:30+00';
update public.derived_data_bars as d set vol = 99 where d.timeframe = '5m' and d.ts_utc = '2025-07-01 03:00+00';

-- The hour agrees with the wrong 5m bar below it: only the repair of that bar can fix it.
update public.derived_data_bars as d set vol = (
  select sum(s.vol) from public.derived_data_bars as s
  where s.timeframe = '5m' and s.ts_utc >= d.ts_utc and s.ts_utc < d.ts_utc + interval '1 hour'
)
where d.timeframe = '1h' and d.ts_utc = '2025-07-01 03:00+00';
select is(
  public.agg_repair(p_timeframe => '5m'), '{"success": true, "tasks": 1, "windows": 2}', 'agg_repair() counts the windows of its corrections'
);
select results_eq(
  'select k.timeframe, k.spans from agg.correction as k order by 1',
  $$
    values ('5m', tstzmultirange(
      tstzrange('2025-07-01 01:30+00', '2025-07-01 01:35+00'), tstzrange('2025-07-01 03:00+00', '2025-07-01 03:05+00')
    ))
  $$,
  'agg_repair() adds corrections of these windows and of none between them'
);
call tests.run('2025-07-01 05:00+00');
select results_eq(
  $$ select d.timeframe, d.ts_utc, to_jsonb(d) - 'updated_at' - 'created_at' from public.derived_data_bars as d order by 1, 2 $$,
  'select b.* from bar_before as b order by 1, 2',
  'agg_run_due() then fixes these, and their hours with them'
);
select is(public.agg_repair(), '{"success": true, "tasks": 0, "windows": 0}', 'agg_repair() finds nothing more to fix');

update public.derived_data_bars as d set trade_count = 99;
do $$ begin perform public.agg_repair('ACME', '1h', '2025-07-01 01:00+00', '2025-07-01 02:00+00'); end; $$;
call tests.run('2025-07-01 05:00+00');
select results_eq(
  'select v.timeframe, count(*) from public.agg_verify() as v group by 1 order by 1',
  $$ values ('1h', 3::bigint), ('5m', 48) $$,
  'agg_repair() keeps to the symbol, the timeframe and the range that it is given'
);

select * from finish();
rollback;
