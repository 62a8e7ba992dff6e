begin;
select plan(13);

call tests.clear();
call tests.add_asset('A"B\C');
call tests.add_minutes('A"B\C', '2025-07-01 00:00+00', '2025-07-01 00:10+00');
call tests.run('2025-07-01 00:20+00');
update agg.run_log as l set started_at = '2025-07-01 00:20+00', finished_at = '2025-07-01 00:20:03+00';
insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at) values ('slow', '*', '*', 'warning', 'slow', '2025-07-01 00:20+00');

create function pg_temp.lines(p_pattern text, p_now timestamptz default '2025-07-01 00:30+00') returns text[]
language sql as $$
  select coalesce(array_agg(l.line order by l.nr), '{}')
  from regexp_split_to_table(public.agg_metrics(p_now), '\n') with ordinality as l (line, nr)
  where l.line ~ p_pattern
$$;

select is(
  pg_temp.lines('pgbars_tasks'),
  array[
    '# HELP pgbars_tasks Tasks by timeframe and state, as agg_health has them.', '# TYPE pgbars_tasks gauge',
    'pgbars_tasks{state="current",timeframe="1h"} 1', 'pgbars_tasks{state="waiting_for_data",timeframe="5m"} 1'
  ],
  'a metric has its help and type once, and a sample for each combination of labels'
);
select is(
  pg_temp.lines('^pgbars_slowest_lag'), array['pgbars_slowest_lag_seconds{symbol="A\"B\\C",timeframe="5m"} 600.000'], 'labels are escaped'
);
select is(pg_temp.lines('^pgbars_lag_seconds'), array['pgbars_lag_seconds{timeframe="1h"} 0.000', 'pgbars_lag_seconds{timeframe="5m"} 600.000']);
select is(pg_temp.lines('^pgbars_due_seconds'), array['pgbars_due_seconds{timeframe="1h"} 0.000', 'pgbars_due_seconds{timeframe="5m"} 0.000']);
select is(pg_temp.lines('^pgbars_alerts'), array[
  'pgbars_alerts{severity="critical"} 0', 'pgbars_alerts{severity="warning"} 1', 'pgbars_alerts_by_kind{kind="slow",severity="warning"} 1'
], 'open alerts, none included');
select is(pg_temp.lines('^pgbars_last_run_'), array[
  'pgbars_last_run_seconds{lane="1"} 3.000', 'pgbars_last_run_timestamp_seconds{lane="1"} 1751329200.000'
], 'the last run');
select is(pg_temp.lines('^pgbars_.*_total '), array[
  'pgbars_bars_total 2', 'pgbars_corrected_bars_total 0', 'pgbars_failures_total 0', 'pgbars_poor_bars_total 0', 'pgbars_run_seconds_total 3.000',
  'pgbars_runs_total 1', 'pgbars_windows_total 2'
], 'counters of what was done');
do $$ begin perform agg.prune_logs('2025-07-20 00:00+00'); end; $$;
select is((select count(*) from agg.run_log), 0::bigint);
select is(pg_temp.lines('^pgbars_.*_total ')::text ~ 'bars_total 2.*seconds_total 3.000.*runs_total 1', true, 'they do not fall when the run log is pruned');
call tests.run('2025-07-01 00:31+00');
do $$ begin perform agg.prune_logs(now() + interval '15 days'); end; $$;
select is(pg_temp.lines('^pgbars_runs_total'), array['pgbars_runs_total 2'], 'nor when it is pruned again');
select is(
  pg_temp.lines('^pgbars_pending_corrections'),
  array['pgbars_pending_corrections{kind="backfill"} 0', 'pgbars_pending_corrections{kind="correction"} 0', 'pgbars_pending_corrections{kind="unread"} 0']
);
select is(right(public.agg_metrics('2025-07-01 00:30+00'), 1), E'\n', 'the text ends with a line feed');
call tests.clear();
select is(
  pg_temp.lines('^[^#]', '2025-07-01 00:30+00')::text ~ 'pgbars_info.*pgbars_paused 0', true, 'an empty database has metrics'
);

select * from finish();
rollback;
