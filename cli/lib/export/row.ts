/** A bar of any timeframe, as an export has it. */
export interface Row {
  canonical_symbol: string;
  timeframe: string;
  /** Milliseconds since the epoch. */
  ts: number;
  open: number;
  high: number;
  low: number;
  close: number;
  vol: number | null;
  vwap: number | null;
  trade_count: bigint | null;
  is_partial: boolean;
  /** Null for 1m. */
  quality_score: number | null;
}

/** What to export. Times are instants as Postgres and the Data API read them. */
export interface Selection {
  symbols: readonly string[];
  timeframe: string;
  from: string | undefined;
  to: string | undefined;
}

/** The columns of every export, whatever its timeframe, and whether it has rows or not. */
export const COLUMNS = [
  ...["canonical_symbol", "timeframe", "ts_utc", "open", "high", "low", "close"],
  ...["vol", "vwap", "trade_count", "is_partial", "quality_score"],
] as const;
