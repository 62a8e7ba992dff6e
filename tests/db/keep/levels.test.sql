begin;
select plan(9);

-- 5m bars are kept for a shorter time than the minutes that they are made of, and days for a shorter time than hours.
call tests.clear();
call tests.add_asset('ACME', '{"optional": ["1d"], "keep": {"5m": "1 day", "1d": "2 days"}}');
call tests.add_minutes('ACME', '2025-07-01 00:00+00', '2025-07-06 00:00+00');
call tests.run('2025-07-06 00:05+00');
-- Bars that were changed leave revisions. Without the audit, which has them built again first.
update agg.environment as e set audit_percent = 0;
update public.derived_data_bars as d set vwap = 1, updated_at = now() + interval '1 second' where d.ts_utc in ('2025-07-01 00:00+00', '2025-07-04 12:00+00');
do $$ begin perform public.agg_maintain(p_now => '2025-07-06 00:10+00'); end; $$;
select is(
  agg.remove_old_bars(100), 100, 'agg.remove_old_bars() removes a batch'
);
select is(
  agg.remove_old_bars(100000), 4 * 288 - 100 + 3 + 3, 'and the next ones later'
);
select results_eq(
  $$ select r.timeframe, r.ts_utc from public.derived_data_bars_revision as r order by 1, 2 $$,
  $$ values ('1h', timestamptz '2025-07-01 00:00+00'), ('1h', '2025-07-04 12:00+00') $$,
  'with what they were before; a removal is no revision'
);
create function pg_temp.bars() returns text
language sql as $$
  select string_agg(format('%s %s', b.timeframe, b.bars), ', ' order by b.timeframe)
  from (
    select d.timeframe, count(*) as bars from public.derived_data_bars as d where d.deleted_at is null group by d.timeframe
    union all
    select '1m', count(*) from public.data_bars as b
  ) as b
$$;
select is(pg_temp.bars(), '1d 2, 1h 120, 1m 7200, 5m 288', 'each timeframe keeps its own time');
select results_eq(
  $$ select s.timeframe, s.agg_start_utc from public.data_agg_state as s order by s.run_interval_minutes $$,
  $$ values ('5m', timestamptz '2025-07-05 00:00+00'), ('1h', '2025-07-05 00:00+00'), ('1d', '2025-07-04 00:00+00') $$,
  'tasks start at the floors of the bars that they make and read'
);
update public.data_bars as b set high = 9 where b.ts_utc = '2025-07-02 12:00+00';
call tests.run('2025-07-06 00:15+00');
select is(pg_temp.bars(), '1d 2, 1h 120, 1m 7200, 5m 288', 'a late minute behind them brings back no bar');
select is_empty($$ select v.* from public.agg_verify() as v $$, 'and agg_verify() misses none');

-- A day that begins elsewhere takes no bar along that could not be built again.
call tests.set_metadata('ACME', '{agg,keep}', '{"5m": "1 day", "1h": "1 day"}');
do $$ begin perform public.agg_maintain(p_now => '2025-07-06 00:20+00'); end; $$;
call tests.set_metadata('ACME', '{agg,day_close}', '{"time": "17:00", "time_zone": "America/New_York"}');
call tests.run('2025-07-06 00:25+00');
select set_has(
  $$ select d.ts_utc from public.derived_data_bars as d where d.timeframe = '1d' and d.deleted_at is null $$,
  $$ values (timestamptz '2025-07-04 00:00+00') $$,
  'other days leave bars that could not be built again'
);
select is(
  (select count(*) from public.derived_data_bars as d where d.timeframe = '1d' and d.ts_utc >= '2025-07-05' and d.deleted_at is null and d.ts_utc::time = '00:00'),
  0::bigint, 'and take those away that are'
);

select * from finish();
rollback;
