-- Who may do what. Projects made before November 2026 give anon, authenticated and service_role all rights on whatever is
-- new in public, so that everything is revoked first. The functions of public are named one by one: a project has its own.
revoke all on schema agg from public;
grant usage on schema agg to service_role;
revoke all on all tables in schema agg from public, anon, authenticated, service_role;
grant select on all tables in schema agg to service_role;
revoke execute on all functions in schema agg from public, anon, authenticated, service_role;
-- What get_bars asks with the rights of its caller.
grant execute on function agg.filled_bars, agg.open_windows, agg.revision_age to service_role;

revoke all on table
  public.core_asset_registry_all,
  public.data_agg_state,
  public.data_bars,
  public.derived_data_bars,
  public.derived_data_bars_revision
from public, anon, authenticated, service_role;
grant select, insert, update, delete on table
  public.core_asset_registry_all,
  public.data_agg_state,
  public.data_bars,
  public.derived_data_bars
to service_role;
grant select on table public.derived_data_bars_revision to service_role;

-- Callable by service_role.
revoke execute on function
  public.agg_add_alert_target,
  public.agg_add_change_note,
  public.agg_alert_targets,
  public.agg_alerts,
  public.agg_asset,
  public.agg_backfill,
  public.agg_bar_versions,
  public.agg_bootstrap_cursor,
  public.agg_cancel_backfill,
  public.agg_changes,
  public.agg_check,
  public.agg_claim_deliveries,
  public.agg_explain,
  public.agg_finish,
  public.agg_finish_deliveries,
  public.agg_fleet,
  public.agg_gaps,
  public.agg_get_due_tasks,
  public.agg_health,
  public.agg_maintain,
  public.agg_metrics,
  public.agg_pause,
  public.agg_pending,
  public.agg_remove_alert_target,
  public.agg_repair,
  public.agg_resume,
  public.agg_run_due,
  public.agg_runs,
  public.agg_size,
  public.agg_start,
  public.agg_verify,
  public.aggregate_1m_to_5m_window,
  public.aggregate_5m_to_1h_window,
  public.aggregate_window,
  public.calc_dxy_range_1m,
  public.catchup_aggregation_range,
  public.derive_synthetic_range,
  public.get_bars,
  public.import_calendar,
  public.move_status,
  public.sync_agg_state_from_registry,
  public.upsert_bars
from public, anon, authenticated, service_role;
grant execute on function
  public.agg_add_alert_target,
  public.agg_add_change_note,
  public.agg_alert_targets,
  public.agg_alerts,
  public.agg_asset,
  public.agg_backfill,
  public.agg_bar_versions,
  public.agg_bootstrap_cursor,
  public.agg_cancel_backfill,
  public.agg_changes,
  public.agg_check,
  public.agg_claim_deliveries,
  public.agg_explain,
  public.agg_finish,
  public.agg_finish_deliveries,
  public.agg_fleet,
  public.agg_gaps,
  public.agg_get_due_tasks,
  public.agg_health,
  public.agg_maintain,
  public.agg_metrics,
  public.agg_pause,
  public.agg_pending,
  public.agg_remove_alert_target,
  public.agg_repair,
  public.agg_resume,
  public.agg_run_due,
  public.agg_runs,
  public.agg_size,
  public.agg_start,
  public.agg_verify,
  public.aggregate_1m_to_5m_window,
  public.aggregate_5m_to_1h_window,
  public.aggregate_window,
  public.calc_dxy_range_1m,
  public.catchup_aggregation_range,
  public.derive_synthetic_range,
  public.get_bars,
  public.import_calendar,
  public.move_status,
  public.sync_agg_state_from_registry,
  public.upsert_bars
to service_role;

-- Callable by the owner of the database only.
revoke execute on function
  public.disable_broadcast,
  public.enable_broadcast,
  public.finish_move,
  public.grant_operations_access,
  public.grant_read_access,
  public.install_webhooks,
  public.remove_webhooks,
  public.revoke_operations_access,
  public.revoke_read_access,
  public.schedule_jobs,
  public.undo_move
from public, anon, authenticated, service_role;
