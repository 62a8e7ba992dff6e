begin;
select plan(4);

update public.core_asset_registry_all as r
set metadata = r.metadata || '{"components": ["A"], "component_weights": {"A": 1}, "formula_base": 1}'
where r.canonical_symbol = 'DXY';
insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
select 'A', timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1
from generate_series(0, 119) as m (n);
do $$ begin perform public.sync_agg_state_from_registry(); end; $$;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
create function pg_temp.cursors() returns text
language sql as $$
  select string_agg(s.timeframe || ' ' || to_char(s.last_agg_bar_ts_utc, 'HH24:MI'), ', ' order by s.run_interval_minutes)
  from public.data_agg_state as s
$$;
select is(pg_temp.cursors(), '1m 01:59, 5m 01:55, 1h 01:00', 'three levels are built for this test');

do $$ begin perform public.agg_bootstrap_cursor('DXY', '5m'); end; $$;
select is(
  pg_temp.cursors(), '1m 01:59, 5m 23:55, 1h 23:00', 'agg_bootstrap_cursor() sets back what builds from the task, and not what it builds from'
);
do $$
begin
  perform public.agg_run_due(p_now => '2025-07-01 03:00+00');
  perform public.agg_bootstrap_cursor('DXY', '1m');
end;
$$;
select is(pg_temp.cursors(), '1m 23:59, 5m 23:55, 1h 23:00', 'agg_bootstrap_cursor() does so through every level');

update public.derived_data_bars as d set trade_count = 99;
do $$ begin perform public.agg_run_due(p_now => '2025-07-01 03:00+00'); end; $$;
select is_empty(
  'select d.ts_utc from public.derived_data_bars as d where d.trade_count = 99', 'agg_run_due() then builds every level again'
);

select * from finish();
rollback;
