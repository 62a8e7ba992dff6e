begin;
select plan(6);

call tests.clear();
insert into public.core_asset_registry_all (canonical_symbol, active, test_active, metadata)
select s.symbol, true, s.symbol <> 'BBB', '{"agg": {"start_utc": "2025-07-01T00:00:00Z", "mandatory": ["4h"], "optional": ["15m", "1d"]}}'
from unnest(array['AAA', 'BBB', 'CCC']) as s (symbol);

create function pg_temp.due(p_limit integer, p_env text default 'prod') returns text
language sql as $$
  select string_agg(d.canonical_symbol || ' ' || d.timeframe, ', ' order by d.place)
  from public.agg_get_due_tasks(p_env, p_limit, '2025-07-10 00:00+00') with ordinality as d (
    canonical_symbol, timeframe, source_timeframe, last_agg_bar_ts_utc, run_interval_minutes, aggregation_delay_seconds,
    is_mandatory, task_priority, place
  )
$$;

select is(
  pg_temp.due(100),
  'AAA 5m, BBB 5m, CCC 5m, AAA 1h, BBB 1h, CCC 1h, AAA 4h, BBB 4h, CCC 4h, '
    'AAA 15m, BBB 15m, CCC 15m, AAA 1d, BBB 1d, CCC 1d',
  'agg_get_due_tasks() orders by mandatory, then by duration, which is not the order of the words'
);
select is(pg_temp.due(4), 'AAA 5m, BBB 5m, CCC 5m, AAA 1h', 'agg_get_due_tasks() returns the first p_limit');
select is(pg_temp.due(3, 'test'), 'AAA 5m, CCC 5m, AAA 1h', 'agg_get_due_tasks() returns tasks of assets active in p_env');

update public.data_agg_state as s set task_priority = case s.canonical_symbol when 'CCC' then 1 else 5 end where s.timeframe = '5m';
do $$
begin
  perform public.agg_start('AAA', '5m', '2025-07-09 00:00+00');
  perform public.agg_finish('AAA', '5m', true, p_stats => '{"stopped_reason": "max_windows"}', p_now => '2025-07-09 00:00+00');
end;
$$;
select is(
  pg_temp.due(4), 'CCC 5m, BBB 5m, AAA 5m, AAA 1h',
  'agg_get_due_tasks() puts priority next, then the one that never succeeded before the one that did'
);
do $$
begin
  perform public.agg_start('BBB', '5m', '2025-07-09 12:00+00');
  perform public.agg_finish('BBB', '5m', true, p_stats => '{"stopped_reason": "max_windows"}', p_now => '2025-07-09 12:00+00');
end;
$$;
select is(pg_temp.due(3), 'CCC 5m, AAA 5m, BBB 5m', 'agg_get_due_tasks() puts the least recently successful first');
select results_eq(
  $$
    select d.source_timeframe, d.last_agg_bar_ts_utc, d.run_interval_minutes, d.aggregation_delay_seconds, d.is_mandatory, d.task_priority
    from public.agg_get_due_tasks('prod', 1, '2025-07-10 00:00+00') as d
    order by d.canonical_symbol
  $$,
  $$ values ('1m', timestamptz '2025-06-30 23:55+00', 5, 300, true, 1) $$,
  'agg_get_due_tasks() returns what a worker needs'
);

select * from finish();
rollback;
