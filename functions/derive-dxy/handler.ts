import type { Database } from "../_shared/database.ts";
import { DAY, DEFAULT_SYMBOL, type DeriveRequest, MAX_RANGE, MINUTE, type Range, readRequest } from "./request.ts";
import { addCounts, type Counts, deriveRange, NO_COUNTS, readCursor, readSeries } from "./series.ts";

/** What was derived. `ranges` are half-open, in UTC, and empty when there was nothing to derive. */
export type DeriveAnswer = { symbol: string; version: number; ranges: Range[] } & Counts;

/** How long the database may take, in milliseconds. */
export interface TimeLimits {
  /** For each read. */
  read: number;
  /** For all ranges together. */
  derive: number;
}

/** Two reads and the ranges stay below 150 s, the platform's limit. The database's own limit for a range is 120 s. */
const TIME_LIMITS: TimeLimits = { read: 10_000, derive: 125_000 };

/**
 * Derives minutes of a synthetic series. It takes:
 * - `{ from, to, symbol?, version? }`: the minutes in [from, to), at most 31 days. By default of DXY, in the series' own
 *   version. Instants need their zone;
 * - a payload of a database webhook of `data_bars`: the minute of each component bar in it. Other bars are ignored;
 * - `{}`: from the task's cursor, or the last day where there is no task, up to the minute of `now`. Of a cursor that is
 *   more than 31 days behind, only the last 31 days are derived; the dispatcher derives the rest.
 *
 * Each range is a transaction of its own, and deriving it again changes nothing. Throws a Refusal: 422 for any other body,
 * 409 for a payload of another table, 503 when the database is away or takes longer than `limits`.
 */
export async function deriveDxy(
  body: unknown,
  database: Database,
  now: Date,
  limits: TimeLimits = TIME_LIMITS,
): Promise<DeriveAnswer> {
  const request = readRequest(body);
  const symbol = request.kind === "range" ? request.symbol : DEFAULT_SYMBOL;
  const series = await readSeries(database, symbol, limits.read);
  const version = (request.kind === "range" ? request.version : undefined) ?? series.derivation_version;
  const ranges = await rangesOf(request, series.components, now, () => readCursor(database, symbol, limits.read));
  const signal = AbortSignal.timeout(limits.derive);
  let counts = NO_COUNTS;
  for (const range of ranges) counts = addCounts(counts, await deriveRange(database, symbol, range, version, signal));
  return { symbol, version, ranges, ...counts };
}

async function rangesOf(
  request: DeriveRequest,
  components: string[],
  now: Date,
  cursor: () => Promise<Date | null>,
): Promise<Range[]> {
  if (request.kind === "range") return [request.range];
  if (request.kind === "catch_up") return catchUp(await cursor(), now);
  const minutes = request.bars.filter((bar) => components.includes(bar.symbol)).map((bar) => bar.minute);
  return [...new Map(minutes.map((minute) => [minute.from.getTime(), minute])).values()];
}

function catchUp(cursor: Date | null, now: Date): Range[] {
  const to = Math.floor(now.getTime() / MINUTE) * MINUTE;
  const from = cursor === null ? to - DAY : Math.max(cursor.getTime() + MINUTE, to - MAX_RANGE);
  return from < to ? [{ from: new Date(from), to: new Date(to) }] : [];
}
