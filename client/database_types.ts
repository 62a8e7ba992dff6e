// The types of the schema public. Generated: do not edit, run `deno task generate`.
// deno-lint-ignore-file

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[];

export type Database = {
  "public": {
    Tables: {
      "core_asset_registry_all": {
        Row: {
          "active": boolean;
          "asset_class": string | null;
          "canonical_symbol": string;
          "created_at": string;
          "description": string | null;
          "is_active": boolean | null;
          "metadata": NonNullable<Json>;
          "test_active": boolean;
          "updated_at": string;
        };
        ComputedFields: never;
        Insert: {
          "active"?: boolean;
          "asset_class"?: string | null;
          "canonical_symbol": string;
          "created_at"?: string;
          "description"?: string | null;
          "is_active"?: never;
          "metadata"?: NonNullable<Json>;
          "test_active"?: boolean;
          "updated_at"?: string;
        };
        Update: {
          "active"?: boolean;
          "asset_class"?: string | null;
          "canonical_symbol"?: string;
          "created_at"?: string;
          "description"?: string | null;
          "is_active"?: never;
          "metadata"?: NonNullable<Json>;
          "test_active"?: boolean;
          "updated_at"?: string;
        };
        Relationships: [];
      };
      "data_agg_state": {
        Row: {
          "agg_start_utc": string;
          "aggregation_delay_seconds": number;
          "basket": Json | null;
          "built_to_utc": string | null;
          "calendar": string | null;
          "canonical_symbol": string;
          "created_at": string;
          "due_together_at": string | null;
          "enabled": boolean;
          "fail_streak": number;
          "failing_since_utc": string | null;
          "good_percent": number;
          "hard_fail_streak": number;
          "is_mandatory": boolean;
          "last_agg_bar_ts_utc": string;
          "last_attempted_at_utc": string | null;
          "last_error": string | null;
          "last_stopped_reason": string | null;
          "last_successful_at_utc": string | null;
          "next_run_at": string;
          "poor_percent": number;
          "queued_at": string | null;
          "run_interval_minutes": number;
          "running_started_at_utc": string | null;
          "session_minutes": unknown;
          "session_time_zone": string | null;
          "source_timeframe": string;
          "status": string;
          "task_priority": number;
          "timeframe": string;
          "total_bars_created": number;
          "total_bars_quality_poor": number;
          "total_runs": number;
          "updated_at": string;
          "window_origin": string;
          "window_time_zone": string | null;
        };
        ComputedFields: never;
        Insert: {
          "agg_start_utc"?: string;
          "aggregation_delay_seconds"?: number;
          "basket"?: Json | null;
          "built_to_utc"?: string | null;
          "calendar"?: string | null;
          "canonical_symbol": string;
          "created_at"?: string;
          "due_together_at"?: string | null;
          "enabled"?: boolean;
          "fail_streak"?: number;
          "failing_since_utc"?: string | null;
          "good_percent"?: number;
          "hard_fail_streak"?: number;
          "is_mandatory"?: boolean;
          "last_agg_bar_ts_utc": string;
          "last_attempted_at_utc"?: string | null;
          "last_error"?: string | null;
          "last_stopped_reason"?: string | null;
          "last_successful_at_utc"?: string | null;
          "next_run_at"?: string;
          "poor_percent"?: number;
          "queued_at"?: never;
          "run_interval_minutes": number;
          "running_started_at_utc"?: string | null;
          "session_minutes"?: unknown;
          "session_time_zone"?: string | null;
          "source_timeframe": string;
          "status"?: string;
          "task_priority"?: number;
          "timeframe": string;
          "total_bars_created"?: number;
          "total_bars_quality_poor"?: number;
          "total_runs"?: number;
          "updated_at"?: string;
          "window_origin"?: string;
          "window_time_zone"?: string | null;
        };
        Update: {
          "agg_start_utc"?: string;
          "aggregation_delay_seconds"?: number;
          "basket"?: Json | null;
          "built_to_utc"?: string | null;
          "calendar"?: string | null;
          "canonical_symbol"?: string;
          "created_at"?: string;
          "due_together_at"?: string | null;
          "enabled"?: boolean;
          "fail_streak"?: number;
          "failing_since_utc"?: string | null;
          "good_percent"?: number;
          "hard_fail_streak"?: number;
          "is_mandatory"?: boolean;
          "last_agg_bar_ts_utc"?: string;
          "last_attempted_at_utc"?: string | null;
          "last_error"?: string | null;
          "last_stopped_reason"?: string | null;
          "last_successful_at_utc"?: string | null;
          "next_run_at"?: string;
          "poor_percent"?: number;
          "queued_at"?: never;
          "run_interval_minutes"?: number;
          "running_started_at_utc"?: string | null;
          "session_minutes"?: unknown;
          "session_time_zone"?: string | null;
          "source_timeframe"?: string;
          "status"?: string;
          "task_priority"?: number;
          "timeframe"?: string;
          "total_bars_created"?: number;
          "total_bars_quality_poor"?: number;
          "total_runs"?: number;
          "updated_at"?: string;
          "window_origin"?: string;
          "window_time_zone"?: string | null;
        };
        Relationships: [];
      };
      "data_bars": {
        Row: {
          "canonical_symbol": string;
          "close": number;
          "created_at": string;
          "high": number;
          "ingested_at": string;
          "is_partial": boolean;
          "low": number;
          "open": number;
          "raw": NonNullable<Json>;
          "source": string;
          "timeframe": string;
          "trade_count": number | null;
          "ts_utc": string;
          "updated_at": string;
          "vol": number | null;
          "vwap": number | null;
        };
        ComputedFields: never;
        Insert: {
          "canonical_symbol": string;
          "close": number;
          "created_at"?: string;
          "high": number;
          "ingested_at"?: string;
          "is_partial"?: boolean;
          "low": number;
          "open": number;
          "raw"?: NonNullable<Json>;
          "source"?: string;
          "timeframe"?: string;
          "trade_count"?: number | null;
          "ts_utc": string;
          "updated_at"?: string;
          "vol"?: number | null;
          "vwap"?: number | null;
        };
        Update: {
          "canonical_symbol"?: string;
          "close"?: number;
          "created_at"?: string;
          "high"?: number;
          "ingested_at"?: string;
          "is_partial"?: boolean;
          "low"?: number;
          "open"?: number;
          "raw"?: NonNullable<Json>;
          "source"?: string;
          "timeframe"?: string;
          "trade_count"?: number | null;
          "ts_utc"?: string;
          "updated_at"?: string;
          "vol"?: number | null;
          "vwap"?: number | null;
        };
        Relationships: [];
      };
      "derived_data_bars": {
        Row: {
          "canonical_symbol": string;
          "close": number;
          "covered_minutes": number;
          "created_at": string;
          "deleted_at": string | null;
          "derivation_version": number;
          "expected_candles": number;
          "expected_minutes": number;
          "high": number;
          "is_partial": boolean;
          "low": number;
          "open": number;
          "quality_score": number | null;
          "raw": NonNullable<Json>;
          "source": string;
          "source_candles": number;
          "source_timeframe": string;
          "timeframe": string;
          "trade_count": number | null;
          "ts_utc": string;
          "updated_at": string;
          "vol": number | null;
          "vwap": number | null;
          "vwap_vol": number | null;
        };
        ComputedFields: never;
        Insert: {
          "canonical_symbol": string;
          "close": number;
          "covered_minutes": number;
          "created_at"?: string;
          "deleted_at"?: string | null;
          "derivation_version"?: number;
          "expected_candles": number;
          "expected_minutes": number;
          "high": number;
          "is_partial"?: boolean;
          "low": number;
          "open": number;
          "quality_score"?: number | null;
          "raw"?: NonNullable<Json>;
          "source"?: string;
          "source_candles": number;
          "source_timeframe": string;
          "timeframe": string;
          "trade_count"?: number | null;
          "ts_utc": string;
          "updated_at"?: string;
          "vol"?: number | null;
          "vwap"?: number | null;
          "vwap_vol"?: number | null;
        };
        Update: {
          "canonical_symbol"?: string;
          "close"?: number;
          "covered_minutes"?: number;
          "created_at"?: string;
          "deleted_at"?: string | null;
          "derivation_version"?: number;
          "expected_candles"?: number;
          "expected_minutes"?: number;
          "high"?: number;
          "is_partial"?: boolean;
          "low"?: number;
          "open"?: number;
          "quality_score"?: number | null;
          "raw"?: NonNullable<Json>;
          "source"?: string;
          "source_candles"?: number;
          "source_timeframe"?: string;
          "timeframe"?: string;
          "trade_count"?: number | null;
          "ts_utc"?: string;
          "updated_at"?: string;
          "vol"?: number | null;
          "vwap"?: number | null;
          "vwap_vol"?: number | null;
        };
        Relationships: [];
      };
      "derived_data_bars_revision": {
        Row: {
          "canonical_symbol": string;
          "close": number;
          "covered_minutes": number;
          "deleted_at": string | null;
          "expected_minutes": number;
          "high": number;
          "is_partial": boolean;
          "low": number;
          "open": number;
          "quality_score": number | null;
          "reason": string;
          "replaced_at": string;
          "timeframe": string;
          "trade_count": number | null;
          "ts_utc": string;
          "vol": number | null;
          "vwap": number | null;
          "written_at": string;
        };
        ComputedFields: never;
        Insert: {
          "canonical_symbol": string;
          "close": number;
          "covered_minutes": number;
          "deleted_at"?: string | null;
          "expected_minutes": number;
          "high": number;
          "is_partial": boolean;
          "low": number;
          "open": number;
          "quality_score"?: number | null;
          "reason": string;
          "replaced_at": string;
          "timeframe": string;
          "trade_count"?: number | null;
          "ts_utc": string;
          "vol"?: number | null;
          "vwap"?: number | null;
          "written_at": string;
        };
        Update: {
          "canonical_symbol"?: string;
          "close"?: number;
          "covered_minutes"?: number;
          "deleted_at"?: string | null;
          "expected_minutes"?: number;
          "high"?: number;
          "is_partial"?: boolean;
          "low"?: number;
          "open"?: number;
          "quality_score"?: number | null;
          "reason"?: string;
          "replaced_at"?: string;
          "timeframe"?: string;
          "trade_count"?: number | null;
          "ts_utc"?: string;
          "vol"?: number | null;
          "vwap"?: number | null;
          "written_at"?: string;
        };
        Relationships: [];
      };
    };
    Views: {
      [_ in never]: never;
    };
    Functions: {
      "agg_add_alert_target": {
        Args: { "p_kind": string; "p_min_severity"?: string; "p_name": string; "p_now"?: string };
        Returns: Json;
      };
      "agg_add_change_note": { Args: { "p_from"?: string; "p_symbols"?: (string)[]; "p_to"?: string }; Returns: Json };
      "agg_alert_targets": {
        Args: { "p_now"?: string };
        Returns: {
          "error": string;
          "kind": string;
          "min_severity": string;
          "name": string;
          "next_try_at": string;
          "state": string;
          "succeeded_at": string;
          "waiting": number;
        }[];
      };
      "agg_alerts": {
        Args: { "p_open_only"?: boolean };
        Returns: {
          "alert_id": number;
          "canonical_symbol": string;
          "kind": string;
          "message": string;
          "raised_at": string;
          "resolved_at": string;
          "severity": string;
          "timeframe": string;
        }[];
      };
      "agg_asset": {
        Args: { "p_now"?: string; "p_symbol": string };
        Returns: {
          "attention": number;
          "decided_to_utc": string;
          "due_for": string;
          "explanation": string;
          "is_mandatory": boolean;
          "lag": string;
          "next_run_at": string;
          "state": string;
          "timeframe": string;
          "words": string;
        }[];
      };
      "agg_backfill": {
        Args: {
          "p_from"?: string;
          "p_now"?: string;
          "p_symbols"?: (string)[];
          "p_timeframes"?: (string)[];
          "p_to"?: string;
        };
        Returns: Json;
      };
      "agg_bar_versions": {
        Args: { "p_from": string; "p_limit"?: number; "p_symbol": string; "p_timeframe": string; "p_to"?: string };
        Returns: {
          "close": number;
          "covered_minutes": number;
          "expected_minutes": number;
          "high": number;
          "is_bar": boolean;
          "is_partial": boolean;
          "low": number;
          "open": number;
          "quality_score": number;
          "reason": string;
          "replaced_at": string;
          "trade_count": number;
          "ts_utc": string;
          "vol": number;
          "vwap": number;
          "written_at": string;
        }[];
      };
      "agg_bootstrap_cursor": { Args: { "p_symbol": string; "p_to_tf": string }; Returns: Json };
      "agg_cancel_backfill": { Args: { "p_symbols"?: (string)[]; "p_timeframes"?: (string)[] }; Returns: Json };
      "agg_changes": {
        Args: {
          "p_after"?: Json;
          "p_from": string;
          "p_limit"?: number;
          "p_symbols"?: (string)[];
          "p_timeframe"?: string;
          "p_to"?: string;
        };
        Returns: {
          "after": Json;
          "before": Json;
          "canonical_symbol": string;
          "changed_at": string;
          "reason": string;
          "seen_from": string;
          "timeframe": string;
          "ts_utc": string;
        }[];
      };
      "agg_check": {
        Args: { "p_all"?: boolean; "p_now"?: string };
        Returns: {
          "check": string;
          "hint": string;
          "status": string;
          "subject": string;
          "value": string;
        }[];
      };
      "agg_claim_deliveries": {
        Args: { "p_limit"?: number; "p_now"?: string };
        Returns: {
          "body": string;
          "kind": string;
          "message_id": string;
          "secret": string;
          "target": string;
          "url": string;
        }[];
      };
      "agg_explain": {
        Args: { "p_now"?: string; "p_symbol": string; "p_timeframe": string; "p_ts": string };
        Returns: {
          "item": string;
          "value": string;
        }[];
      };
      "agg_finish": {
        Args: {
          "p_claimed_at"?: string;
          "p_error"?: string;
          "p_fail_kind"?: string;
          "p_new_cursor_utc"?: string;
          "p_now"?: string;
          "p_stats"?: Json;
          "p_success": boolean;
          "p_symbol": string;
          "p_tf": string;
        };
        Returns: Json;
      };
      "agg_finish_deliveries": { Args: { "p_now"?: string; "p_results": Json }; Returns: Json };
      "agg_fleet": { Args: { "p_now"?: string }; Returns: Json };
      "agg_gaps": {
        Args: { "p_from_utc"?: string; "p_symbol": string; "p_timeframe": string; "p_to_utc"?: string };
        Returns: {
          "gap_from_utc": string;
          "gap_to_utc": string;
          "windows": number;
        }[];
      };
      "agg_get_due_tasks": {
        Args: { "p_env_name"?: string; "p_limit"?: number; "p_now"?: string };
        Returns: {
          "aggregation_delay_seconds": number;
          "canonical_symbol": string;
          "is_mandatory": boolean;
          "last_agg_bar_ts_utc": string;
          "run_interval_minutes": number;
          "source_timeframe": string;
          "task_priority": number;
          "timeframe": string;
        }[];
      };
      "agg_health": {
        Args: { "p_now"?: string };
        Returns: {
          "canonical_symbol": string;
          "cursor_utc": string;
          "due_for": string;
          "explanation": string;
          "lag": string;
          "next_run_at": string;
          "state": string;
          "status": string;
          "timeframe": string;
        }[];
      };
      "agg_maintain": { Args: { "p_env"?: string; "p_now"?: string }; Returns: Json };
      "agg_metrics": { Args: { "p_now"?: string }; Returns: string };
      "agg_pause": { Args: { "p_now"?: string; "p_reason": string; "p_until": string }; Returns: Json };
      "agg_pending": {
        Args: { "p_now"?: string };
        Returns: {
          "canonical_symbol": string;
          "explanation": string;
          "failures": number;
          "from_utc": string;
          "is_backfill": boolean;
          "oldest": string;
          "timeframe": string;
          "to_utc": string;
          "windows": number;
          "windows_a_minute": number;
        }[];
      };
      "agg_remove_alert_target": { Args: { "p_name": string }; Returns: Json };
      "agg_repair": {
        Args: { "p_from"?: string; "p_symbol"?: string; "p_timeframe"?: string; "p_to"?: string };
        Returns: Json;
      };
      "agg_resume": { Args: { "p_now"?: string }; Returns: Json };
      "agg_run_due": {
        Args: {
          "p_batch_windows"?: number;
          "p_env"?: string;
          "p_lane"?: number;
          "p_limit"?: number;
          "p_now"?: string;
          "p_time_budget"?: string;
        };
        Returns: Json;
      };
      "agg_runs": {
        Args: { "p_limit"?: number };
        Returns: {
          "bars_corrected": number;
          "bars_created": number;
          "bars_quality_poor": number;
          "batches": number;
          "env": string;
          "failed": number;
          "finished_at": string;
          "lane": number;
          "run_id": number;
          "started_at": string;
          "stopped_reason": string;
          "tasks": number;
          "took": string;
          "windows": number;
        }[];
      };
      "agg_size": {
        Args: { "p_bytes"?: number; "p_now"?: string };
        Returns: {
          "bytes": number;
          "bytes_a_day": number;
          "days_left": number;
          "heap_bytes": number;
          "index_bytes": number;
          "is_estimate": boolean;
          "rows": number;
          "rows_a_day": number;
          "table_name": string;
          "timeframe": string;
        }[];
      };
      "agg_start": { Args: { "p_now"?: string; "p_symbol": string; "p_tf": string }; Returns: Json };
      "agg_verify": {
        Args: { "p_from"?: string; "p_symbol"?: string; "p_timeframe"?: string; "p_to"?: string };
        Returns: {
          "canonical_symbol": string;
          "expected": Json;
          "is_pending": boolean;
          "problem": string;
          "stored": Json;
          "timeframe": string;
          "ts_utc": string;
        }[];
      };
      "aggregate_1m_to_5m_window": {
        Args: {
          "p_derivation_version"?: number;
          "p_from_utc": string;
          "p_now"?: string;
          "p_symbol": string;
          "p_to_utc": string;
        };
        Returns: Json;
      };
      "aggregate_5m_to_1h_window": {
        Args: {
          "p_derivation_version"?: number;
          "p_from_utc": string;
          "p_now"?: string;
          "p_symbol": string;
          "p_to_utc": string;
        };
        Returns: Json;
      };
      "aggregate_window": {
        Args: {
          "p_derivation_version"?: number;
          "p_from_utc": string;
          "p_now"?: string;
          "p_symbol": string;
          "p_timeframe": string;
          "p_to_utc"?: string;
        };
        Returns: Json;
      };
      "calc_dxy_range_1m": {
        Args: { "p_derivation_version"?: number; "p_from_utc": string; "p_to_utc": string };
        Returns: Json;
      };
      "catchup_aggregation_range": {
        Args: {
          "p_derivation_version"?: number;
          "p_max_windows"?: number;
          "p_start_cursor_utc"?: string;
          "p_stop_on_zero_source"?: boolean;
          "p_symbol": string;
          "p_to_tf": string;
          "p_until_utc"?: string;
        };
        Returns: Json;
      };
      "derive_synthetic_range": {
        Args: { "p_derivation_version"?: number; "p_from_utc": string; "p_symbol": string; "p_to_utc": string };
        Returns: Json;
      };
      "disable_broadcast": { Args: Record<PropertyKey, never>; Returns: Json };
      "enable_broadcast": { Args: { "p_timeframes": (string)[] }; Returns: Json };
      "finish_move": { Args: { "p_despite_checks"?: boolean; "p_now"?: string }; Returns: Json };
      "get_bars": {
        Args: {
          "p_after"?: Json;
          "p_as_of"?: string;
          "p_fill"?: boolean;
          "p_forming"?: boolean;
          "p_from"?: string;
          "p_limit"?: number;
          "p_symbols": (string)[];
          "p_timeframe": string;
          "p_to"?: string;
        };
        Returns: {
          "canonical_symbol": string;
          "close": number;
          "covered_minutes": number;
          "expected_minutes": number;
          "high": number;
          "is_filled": boolean;
          "is_forming": boolean;
          "is_partial": boolean;
          "low": number;
          "open": number;
          "quality_score": number;
          "timeframe": string;
          "trade_count": number;
          "ts_utc": string;
          "updated_at": string;
          "vol": number;
          "vwap": number;
        }[];
      };
      "grant_operations_access": { Args: { "p_role": string }; Returns: Json };
      "grant_read_access": { Args: { "p_role": string }; Returns: Json };
      "import_calendar": {
        Args: { "p_day_start"?: string; "p_days": Json; "p_name": string; "p_time_zone"?: string };
        Returns: Json;
      };
      "install_webhooks": { Args: { "p_key_secret"?: string; "p_url_secret"?: string }; Returns: Json };
      "move_status": {
        Args: { "p_now"?: string };
        Returns: {
          "explanation": string;
          "outcome": string;
          "rows": number;
          "subject": string;
        }[];
      };
      "remove_webhooks": { Args: Record<PropertyKey, never>; Returns: Json };
      "revoke_operations_access": { Args: { "p_role": string }; Returns: Json };
      "revoke_read_access": { Args: { "p_role": string }; Returns: Json };
      "schedule_jobs": { Args: { "p_audit_percent"?: number; "p_env"?: string; "p_lanes"?: number }; Returns: Json };
      "sync_agg_state_from_registry": {
        Args: { "p_default_start_utc"?: string; "p_env"?: string; "p_symbols"?: (string)[] };
        Returns: Json;
      };
      "undo_move": { Args: { "p_keep_minutes"?: boolean }; Returns: Json };
      "upsert_bars": { Args: { "p_bars": Json; "p_clamp"?: boolean }; Returns: Json };
    };
    Enums: {
      [_ in never]: never;
    };
    CompositeTypes: {
      [_ in never]: never;
    };
  };
};

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">;

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">];

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof (
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
      & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
    )
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals } ? (
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"]
  )[TableName] extends {
    Row: infer R;
  } ? R
  : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R;
    } ? R
    : never
  : never;

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
    Insert: infer I;
  } ? I
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I;
    } ? I
    : never
  : never;

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
    Update: infer U;
  } ? U
  : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U;
    } ? U
    : never
  : never;

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never;

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals;
  } ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never;

export const Constants = {
  "public": {
    Enums: {},
  },
} as const;
