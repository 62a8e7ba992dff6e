import type { Api } from "./api.ts";
import { readCounts, readList } from "./answer.ts";
import type { Json } from "./database_types.ts";
import { unwrap } from "./error.ts";
import type { Instant } from "./range.ts";
import { isStorable, show } from "./values.ts";

/** A 1m bar to store. It replaces the one that is there as a whole: what is left out becomes unknown. */
export interface BarInput {
  canonical_symbol: string;
  /** Start of the minute. */
  ts_utc: Instant;
  open: number;
  high: number;
  low: number;
  close: number;
  vol?: number | null | undefined;
  vwap?: number | null | undefined;
  trade_count?: number | bigint | null | undefined;
  is_partial?: boolean | undefined;
  /** `ingest` where it is left out, or `massive_api`. */
  source?: string | undefined;
  /** What the vendor sent, kept as JSON: a bigint, NaN or an infinity in it becomes text. */
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

/** Rows by what became of them; each is in one of the five. */
export interface UpsertResult<Row = BarInput> {
  inserted: number;
  updated: number;
  unchanged: number;
  /** Those that a later row with the same key replaced in the same batch. */
  superseded: number;
  refused: RefusedBar<Row>[];
}

const CALL = "upsertBars";
const COUNTS = ["inserted", "updated", "unchanged", "superseded"] as const;

/** SQLSTATE of what is refused before it is sent, as of what the database finds malformed. */
const INVALID_VALUE = "22023";

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
  if (!Array.isArray(rows)) throw new TypeError(`${CALL}: rows must be an array, not ${show(rows)}`);
  const result: UpsertResult<Row> = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, refused: [] };
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
  const bars: Json[] = [];
  const places: number[] = [];
  const refused: RefusedBar<Row>[] = [];
  for (let index = start; index < end; index++) {
    const row = rows[index]!;
    try {
      bars.push(encodeRow(row));
      places.push(index);
    } catch (error) {
      const problem = error instanceof Error ? error.message : show(error);
      refused.push({ index, row, code: INVALID_VALUE, constraint: null, problem });
    }
  }
  if (bars.length > 0) {
    const answer = unwrap(CALL, await api.rpc("upsert_bars", { p_bars: bars }), result);
    const counts = readCounts(CALL, answer, COUNTS, result);
    for (const { index: place, code, constraint, problem } of readList<RefusedBar>(CALL, answer, "refused", result)) {
      const index = places[place]!;
      refused.push({ index, row: rows[index]!, code, constraint, problem });
    }
    for (const name of COUNTS) result[name] += counts[name];
  }
  result.refused.push(...refused.sort((one, other) => one.index - other.index));
}

/** A row as the database takes it. Throws for one that JSON cannot carry or Postgres cannot hold. */
function encodeRow(row: BarInput): Json {
  const bar = JSON.parse(JSON.stringify(row, encodeValue) ?? "null");
  // The bars of fetch1mBars() have it, and none of their own.
  if (bar?.quality_score === null) delete bar.quality_score;
  return bar;
}

/** Writes as text what JSON would turn into null, so that the database refuses it instead of storing it as unknown. */
function encodeValue(this: Record<string, unknown>, key: string, value: unknown): unknown {
  if (!isStorable(key) || (typeof value === "string" && !isStorable(value))) {
    throw new TypeError(`${show(key)} holds U+0000 or half of a surrogate pair, which Postgres cannot store`);
  }
  const original = this[key];
  if (original instanceof Date && Number.isNaN(original.getTime())) return String(original);
  if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))) return String(value);
  return value;
}
