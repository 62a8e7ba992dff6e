import { PAIRS } from "../support/pairs.ts";

const at = (time: string) => `2025-07-01T${time}:00Z`;
const NOW = at("03:00");
const SOON = at("03:10");
const FIRST_HOUR = { p_from_utc: at("00:00"), p_to_utc: at("01:00") };

/** Two hours of minutes of every pair. */
const BARS = PAIRS.flatMap((symbol) =>
  Array.from({ length: 120 }, (_, minute) => ({
    canonical_symbol: symbol,
    ts_utc: new Date(Date.parse(at("00:00")) + minute * 60_000).toISOString(),
    open: 1,
    high: 1,
    low: 1,
    close: 1,
  }))
);

/** Calls of every function that is not the owner's, in an order in which each has something to do. Needs the pairs in the registry. */
export const WORKER_CALLS: [string, Record<string, unknown>][] = [
  ["sync_agg_state_from_registry", { p_env: "prod" }],
  ["upsert_bars", { p_bars: BARS }],
  ["agg_get_due_tasks", { p_now: NOW }],
  ["agg_start", { p_symbol: "EURUSD", p_tf: "5m", p_now: NOW }],
  ["catchup_aggregation_range", { p_symbol: "EURUSD", p_to_tf: "5m", p_until_utc: at("01:00") }],
  ["agg_finish", { p_symbol: "EURUSD", p_tf: "5m", p_success: true, p_new_cursor_utc: at("00:50"), p_now: NOW }],
  ["calc_dxy_range_1m", FIRST_HOUR],
  ["derive_synthetic_range", { p_symbol: "DXY", ...FIRST_HOUR }],
  ["aggregate_1m_to_5m_window", { p_symbol: "GBPUSD", p_from_utc: at("00:00"), p_to_utc: at("00:05") }],
  ["agg_run_due", { p_now: SOON }],
  ["aggregate_5m_to_1h_window", { p_symbol: "GBPUSD", ...FIRST_HOUR }],
  ["aggregate_window", { p_symbol: "GBPUSD", p_timeframe: "15m", p_from_utc: at("00:00"), p_now: NOW }],
  ["agg_add_change_note", { p_symbols: ["USDCHF"], p_from: at("00:00"), p_to: at("01:00") }],
  ["agg_pending", { p_now: SOON }],
  ["agg_verify", { p_symbol: "USDCHF" }],
  ["agg_repair", { p_symbol: "USDCHF" }],
  ["agg_maintain", { p_now: SOON }],
  ["agg_health", { p_now: SOON }],
  ["agg_fleet", { p_now: SOON }],
  ["agg_asset", { p_symbol: "EURUSD", p_now: SOON }],
  ["agg_check", { p_now: SOON }],
  ["agg_size", { p_now: SOON }],
  ["agg_alerts", { p_open_only: false }],
  ["agg_runs", { p_limit: 10 }],
  ["agg_add_alert_target", { p_name: "ops", p_kind: "webhook", p_now: NOW }],
  ["agg_alert_targets", { p_now: SOON }],
  ["agg_claim_deliveries", { p_now: SOON }],
  ["agg_finish_deliveries", { p_results: [], p_now: SOON }],
  ["agg_remove_alert_target", { p_name: "ops" }],
  ["agg_metrics", { p_now: SOON }],
  ["agg_pause", { p_reason: "upgrade", p_until: at("04:00"), p_now: SOON }],
  ["agg_resume", { p_now: SOON }],
  ["agg_backfill", { p_symbols: ["USDCHF"], p_now: SOON }],
  ["agg_cancel_backfill", { p_symbols: ["USDCHF"] }],
  ["move_status", { p_now: SOON }],
  ["agg_gaps", { p_symbol: "EURUSD", p_timeframe: "5m" }],
  ["agg_explain", { p_symbol: "DXY", p_timeframe: "5m", p_ts: at("00:00"), p_now: SOON }],
  ["get_bars", { p_symbols: ["EURUSD"], p_timeframe: "5m", p_fill: true, p_forming: true }],
  ["agg_changes", { p_from: at("00:00") }],
  ["agg_bar_versions", { p_symbol: "USDCHF", p_timeframe: "5m", p_from: at("00:00") }],
  ["import_calendar", { p_name: "XTST", p_days: [{ day: "2025-07-04", kind: "closed" }], p_time_zone: "UTC" }],
  ["agg_bootstrap_cursor", { p_symbol: "EURUSD", p_to_tf: "5m" }],
];

const PRICES = { open: 1, high: 2, low: 1, close: 2 };

/** A row for every table that service_role writes, its key, and a change that it takes. */
export const ROWS: Record<string, { key: string; row: Record<string, unknown>; change: Record<string, unknown> }> = {
  core_asset_registry_all: {
    key: "canonical_symbol",
    row: { canonical_symbol: "ACME", active: false },
    change: { description: "changed" },
  },
  data_agg_state: {
    key: "canonical_symbol,timeframe",
    row: {
      canonical_symbol: "ACME",
      timeframe: "5m",
      source_timeframe: "1m",
      run_interval_minutes: 5,
      last_agg_bar_ts_utc: at("00:00"),
    },
    change: { task_priority: 7 },
  },
  data_bars: {
    key: "canonical_symbol,timeframe,ts_utc",
    row: { canonical_symbol: "ACME", timeframe: "1m", ts_utc: at("00:00"), ...PRICES },
    change: { trade_count: 7 },
  },
  derived_data_bars: {
    key: "canonical_symbol,timeframe,ts_utc",
    row: {
      canonical_symbol: "ACME",
      timeframe: "5m",
      ts_utc: at("00:00"),
      ...PRICES,
      source_timeframe: "1m",
      source_candles: 5,
      expected_candles: 5,
      covered_minutes: 5,
      expected_minutes: 5,
      quality_score: 2,
    },
    change: { trade_count: 7 },
  },
};
