comment on view agg.public_function is
  'The functions of pgbars in public, by their names: for what takes them away.';

create view agg.public_function with (security_invoker = true) as
select p.oid as function_id, p.proname::text as name
from pg_catalog.pg_proc as p
where p.pronamespace = 'public'::regnamespace
  and p.proname = any (array[
    'agg_add_alert_target', 'agg_add_change_note', 'agg_alert_targets', 'agg_alerts', 'agg_asset', 'agg_backfill', 'agg_bar_versions', 'agg_bootstrap_cursor', 'agg_cancel_backfill', 'agg_changes', 'agg_check', 'agg_claim_deliveries',
    'agg_explain', 'agg_finish', 'agg_finish_deliveries', 'agg_fleet', 'agg_gaps', 'agg_get_due_tasks', 'agg_health', 'agg_maintain', 'agg_metrics', 'agg_pause', 'agg_pending',
    'agg_remove_alert_target', 'agg_repair', 'agg_resume', 'agg_run_due', 'agg_runs', 'agg_size', 'agg_start', 'agg_verify', 'aggregate_1m_to_5m_window', 'aggregate_5m_to_1h_window',
    'aggregate_window', 'calc_dxy_range_1m', 'calc_dxy_range_derived', 'catchup_aggregation_range', 'derive_synthetic_range',
    'disable_broadcast', 'enable_broadcast', 'finish_move', 'get_bars', 'grant_operations_access', 'grant_read_access', 'import_calendar', 'install_webhooks', 'move_status', 'remove_webhooks',
    'revoke_operations_access', 'revoke_read_access', 'schedule_jobs', 'sync_agg_state_from_registry', 'undo_move', 'upsert_bars'
  ])
  and not exists (
    select from pg_catalog.pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
  );
