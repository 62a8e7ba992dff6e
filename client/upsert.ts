import type { Api } from "./api.ts";
import { readCounts, readList } from "./answer.ts";
import type { Json } from "./database_types.ts";
import { PgbarsError, unwrap } from "./error.ts";
import type { Instant } from "./range.ts";

/** A 1m bar to store. It replaces the one that is there as a whole: what is left out becomes unknown. */
export interface BarInput {
  canonical_symbol: string;
  /** Start of the minute. */
  ts_utc: Instant;
  open: number;
  high: number;
  low: number;
  close: number;
  vol?: number | null;
  vwap?: number | null;
  trade_count?: number | bigint | null;
  is_partial?: boolean;
  /** `ingest` where it is left out, or `massive_api`. */
  source?: string;
  /** What the vendor sent, kept as it is. */
  raw?: unknown;
}

/** A row that was not stored. */
export interface RefusedBar<Row = BarInput> {
  /** Place of the row in what was given, from 0. */
  index: number;
  row: Row;
  /** SQLSTATE. */
  code: string;
  /** The constraint that the row breaks, e.g. `data_bars_high_covers`; null where it is something else. */
  constraint: string | null;
  /** Why, for a reader. */
  problem: string;
}

/** Rows by what became of them. */
export interface UpsertResult<Row = BarInput> {
  inserted: number;
  updated: number;
  unchanged: number;
  refused: RefusedBar<Row>[];
}

const CALL = "upsertBars";
const COUNTS = ["inserted", "updated", "unchanged"] as const;

/** How many rows go into one call of the database, which is one transaction. */
const BATCH = 1000;

/**
 * Stores 1m bars, a batch after the other. A row that is bad is refused and the others are stored; of rows with one key
 * the last one stays. Repeating it changes nothing. Throws a PgbarsError when a call failed, whose `soFar` says what the
 * calls before it did.
 */
export async function upsertBars<Row extends BarInput>(
  api: Api,
  rows: readonly Row[],
): Promise<UpsertResult<Row>> {
  if (!Array.isArray(rows)) throw new TypeError(`${CALL}: rows must be an array, not ${JSON.stringify(rows)}`);
  const result: UpsertResult<Row> = { inserted: 0, updated: 0, unchanged: 0, refused: [] };
  for (let start = 0; start < rows.length; start += BATCH) {
    await storeBatch(api, rows, start, Math.min(start + BATCH, rows.length), result);
  }
  return result;
}

/** Stores rows[start, end) and adds what became of them to `result`. */
async function storeBatch<Row extends BarInput>(
  api: Api,
  rows: readonly Row[],
  start: number,
  end: number,
  result: UpsertResult<Row>,
): Promise<void> {
  const batch = JSON.parse(JSON.stringify(rows.slice(start, end), encodeValue)) as Json;
  const response = await api.rpc("upsert_bars", { p_bars: batch });
  if (response.error !== null && isUnreadable(response.error.code)) {
    const { code, message } = response.error;
    if (end - start === 1) {
      result.refused.push({ index: start, row: rows[start]!, code, constraint: null, problem: message });
      return;
    }
    const middle = Math.floor((start + end) / 2);
    await storeBatch(api, rows, start, middle, result);
    await storeBatch(api, rows, middle, end, result);
    return;
  }
  if (response.error !== null) throw new PgbarsError(CALL, response.error, response.status, result);
  const answer = unwrap(CALL, response);
  const counts = readCounts(CALL, answer, COUNTS);
  for (const name of COUNTS) result[name] += counts[name];
  for (const refused of readList<RefusedBar>(CALL, answer, "refused")) {
    const index = start + refused.index;
    const { code, constraint, problem } = refused;
    result.refused.push({ index, row: rows[index]!, code, constraint, problem });
  }
}

/** Whether the database could not even read the batch, since Postgres knows no U+0000 and no half surrogates. */
function isUnreadable(code: string | undefined): boolean {
  return code === "22P02" || code === "22P05" || code === "PGRST102";
}

/** Writes as text what JSON would turn into null, so that the database refuses it instead of storing it as unknown. */
function encodeValue(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key];
  if (original instanceof Date && Number.isNaN(original.getTime())) return String(original);
  if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))) return String(value);
  return value;
}
