begin;
select plan(5);

-- Without the triggers of the registry, so that only a sync changes tasks.
alter table public.core_asset_registry_all disable trigger user;
call tests.clear();
call tests.add_asset('ACME');
-- Ages around both limits, to the second. Only time makes rows old, so they are written here.
insert into agg.run_log (
  started_at, finished_at, env, batches, tasks, windows, bars_created, bars_quality_poor, bars_corrected, failed, stopped_reason
)
select a.finished_at, a.finished_at, 'prod', 0, 0, 0, 0, 0, 0, 0, 'idle'
from unnest(array['2025-07-01 00:00:00+00', '2025-06-17 00:00:00+00', '2025-06-16 23:59:59+00']::timestamptz[]) as a (finished_at);
insert into agg.alert (kind, canonical_symbol, timeframe, message, raised_at, resolved_at)
select 'behind', 'GONE', '5m', 'gone', '2024-01-01 00:00+00', a.resolved_at
from unnest(array['2025-04-02 00:00:00+00', '2025-04-01 23:59:59+00']::timestamptz[]) as a (resolved_at);

create temporary table maintained as select public.agg_maintain(p_now => '2025-07-01 00:00+00') as result;
select is(
  m.result #>> '{sync,inserted}', '2', 'agg_maintain() makes tasks follow the registry'
) from maintained as m;
select is(m.result -> 'rows_pruned', '1', 'agg_maintain() counts what it pruned') from maintained as m;
select results_eq(
  'select l.finished_at from agg.run_log as l order by l.finished_at',
  $$ values (timestamptz '2025-06-17 00:00:00+00'), ('2025-07-01 00:00:00+00') $$,
  'agg_maintain() drops rows of the run log older than 14 days'
);
select results_eq(
  'select a.resolved_at from agg.alert as a order by a.resolved_at',
  $$ values (timestamptz '2025-04-02 00:00:00+00') $$,
  'agg_maintain() drops alerts resolved more than 90 days ago'
);
select is(
  -- The first call made the tasks that the second audits.
  (public.agg_maintain(p_now => '2025-07-01 00:00+00') #- '{sync,default_start_utc}') - 'slices_audited',
  '{"sync": {"success": true, "env": "prod", "inserted": 0, "updated": 0, "reenabled": 0, "disabled": 0, "inserted_or_updated": 0, "symbols": [], "refused": []},
    "windows_wrong": 0, "alerts_raised": 0, "messages_ready": 0, "rows_pruned": 0, "bars_removed": 0, "revisions_pruned": 0, "tasks_recovered": 0, "tasks_woken": 0}',
  'agg_maintain() changes nothing when repeated'
);

select * from finish();
rollback;
