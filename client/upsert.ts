import { readCounts, readList, unwrap } from "./answer.ts";
import type { Api } from "./api.ts";
import type { BarInput, RefusedBar, UpsertOptions, UpsertResult } from "./bar_input.ts";
import type { Json } from "./database_types.ts";
import { isStorable, show } from "./values.ts";

const CALL = "upsertBars";
const COUNTS = ["inserted", "updated", "unchanged", "superseded"] as const;

/** SQLSTATE of a row that is refused before it is sent. The database gives the same to a malformed row. */
const INVALID_VALUE = "22023";

/** Rows in one call of the database, which is one transaction. */
const BATCH = 1000;

/**
 * Stores 1m bars, one batch after the other. A bad row is refused and the others are stored. Of rows with the same key the
 * last one stays. Idempotent. Throws a TypeError where `rows` is not an array, and a PgbarsError when a call failed; its
 * `soFar` says what the batches before did.
 */
export async function upsertBars<Row extends BarInput>(
  api: Api,
  rows: readonly Row[],
  { clamp = false }: UpsertOptions = {},
): Promise<UpsertResult<Row>> {
  if (!Array.isArray(rows)) throw new TypeError(`${CALL}: rows must be an array, not ${show(rows)}`);
  const result: UpsertResult<Row> = {
    inserted: 0,
    updated: 0,
    unchanged: 0,
    superseded: 0,
    refused: [],
    unregistered: [],
  };
  for (let start = 0; start < rows.length; start += BATCH) {
    await storeBatch(api, rows, start, Math.min(start + BATCH, rows.length), clamp, result);
  }
  return result;
}

/** Stores rows[start, end) and adds the counts and refusals to `result`. */
async function storeBatch<Row extends BarInput>(
  api: Api,
  rows: readonly Row[],
  start: number,
  end: number,
  clamp: boolean,
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
    const answer = unwrap(CALL, await api.rpc("upsert_bars", { p_bars: bars, p_clamp: clamp }), result);
    const counts = readCounts(CALL, answer, COUNTS, result);
    for (const { index: place, code, constraint, problem } of readList<RefusedBar>(CALL, answer, "refused", result)) {
      const index = places[place]!;
      refused.push({ index, row: rows[index]!, code, constraint, problem });
    }
    for (const name of COUNTS) result[name] += counts[name];
    const unregistered = readList<string>(CALL, answer, "unregistered", result);
    result.unregistered = [...new Set([...result.unregistered, ...unregistered])].sort();
  }
  result.refused.push(...refused.sort((one, other) => one.index - other.index));
}

/** A row as the database takes it. Throws where JSON cannot carry it or Postgres cannot store it. */
function encodeRow(row: BarInput): Json {
  const bar = JSON.parse(JSON.stringify(row, encodeValue) ?? "null");
  // The bars of fetch1mBars() have this field, always null; upsert_bars does not know it.
  if (bar?.quality_score === null) delete bar.quality_score;
  return bar;
}

/** Turns NaN, infinities and bigints into text. JSON would write null for the first two, which means unknown. */
function encodeValue(this: Record<string, unknown>, key: string, value: unknown): unknown {
  if (!isStorable(key) || (typeof value === "string" && !isStorable(value))) {
    throw new TypeError(`${show(key)} holds U+0000 or half of a surrogate pair, which Postgres cannot store`);
  }
  const original = this[key];
  if (original instanceof Date && Number.isNaN(original.getTime())) return String(original);
  if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))) return String(value);
  return value;
}
