begin;
select plan(4);

call tests.clear();
call tests.add_basket('DXY', '{"A": 1}');
call tests.add_minutes('A', '2025-07-01 00:00+00', '2025-07-01 02:00+00');
call tests.run('2025-07-01 03:00+00');
create function pg_temp.cursors() returns text
language sql as $$
  select string_agg(s.timeframe || ' ' || to_char(s.last_agg_bar_ts_utc, 'HH24:MI'), ', ' order by s.run_interval_minutes)
  from public.data_agg_state as s
$$;
select is(pg_temp.cursors(), '1m 01:59, 5m 01:55, 1h 01:00', 'three levels are built for this test');

do $$ begin perform public.agg_bootstrap_cursor('DXY', '5m'); end; $$;
select is(
  pg_temp.cursors(), '1m 01:59, 5m 23:55, 1h 23:00', 'agg_bootstrap_cursor() resets the tasks that build from this one, and not its source'
);
do $$
begin
  perform public.agg_run_due(p_now => '2025-07-01 03:00+00');
  perform public.agg_bootstrap_cursor('DXY', '1m');
end;
$$;
select is(pg_temp.cursors(), '1m 23:59, 5m 23:55, 1h 23:00', 'agg_bootstrap_cursor() resets every level above');

update public.derived_data_bars as d set trade_count = 99;
call tests.run('2025-07-01 03:00+00');
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.trade_count = 99', 'agg_run_due() then builds every level again'
);

select * from finish();
rollback;
