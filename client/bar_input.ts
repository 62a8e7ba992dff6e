import type { Instant } from "./range.ts";

/** A 1m bar to store. It replaces the stored one as a whole: a field that is left out becomes unknown. */
export interface BarInput {
  canonical_symbol: string;
  /** Start of the minute. Text must have its zone. */
  ts_utc: Instant;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Null or absent where unknown, as are `vwap` and `trade_count`. */
  vol?: number | null | undefined;
  vwap?: number | null | undefined;
  /** A whole number. Text and bigint carry counts above 2^53. */
  trade_count?: number | bigint | string | null | undefined;
  is_partial?: boolean | undefined;
  /** `ingest` (the default) or `massive_api`. */
  source?: string | undefined;
  /** What the vendor sent, kept as JSON: a bigint, NaN or an infinity in it becomes text. */
  raw?: unknown;
}

/** A row that was not stored. */
export interface RefusedBar<Row = BarInput> {
  /** Place of the row in the given rows, from 0. */
  index: number;
  row: Row;
  /** SQLSTATE. */
  code: string;
  /** The constraint that the row breaks, e.g. `data_bars_high_covers`; null for any other reason. */
  constraint: string | null;
  /** The reason in words. */
  problem: string;
}

/** Rows counted by what happened to them. Each row is in exactly one of the first five. */
export interface UpsertResult<Row = BarInput> {
  inserted: number;
  updated: number;
  unchanged: number;
  /** Rows that a later row with the same key replaced in the same batch. */
  superseded: number;
  refused: RefusedBar<Row>[];
  /** Symbols of stored bars that the registry does not have: nothing is built of them. In alphabetical order. */
  unregistered: string[];
}

/** How {@link Pgbars.upsertBars} stores bars. */
export interface UpsertOptions {
  /**
   * Widens high and low to cover open and close where these lie outside by at most 1e-9 of the price, as rounding leaves
   * it in adjusted prices. Without it such a row is refused.
   */
  clamp?: boolean;
}
