import { z } from "zod";
import { type Database, unwrap } from "../_shared/database.ts";
import { unprocessable } from "../_shared/validation.ts";
import type { Range } from "./request.ts";

const seriesSchema = z.object({
  is_synthetic: z.literal(true),
  components: z.array(z.string()),
  derivation_version: z.number().int().default(1),
});

/** A synthetic series as its metadata describes it. The dispatcher uses the same `derivation_version`. */
export type Series = z.output<typeof seriesSchema>;

/**
 * Reads a series from the registry within `timeLimitMs`. Throws a Refusal: 422 when no synthetic asset has this symbol, 503
 * when the database is away or too slow.
 */
export async function readSeries(database: Database, symbol: string, timeLimitMs: number): Promise<Series> {
  const row = unwrap(
    await database.from("core_asset_registry_all").select("metadata").eq("canonical_symbol", symbol)
      .abortSignal(AbortSignal.timeout(timeLimitMs)).maybeSingle<{ metadata: unknown }>().retry(false),
  );
  const series = seriesSchema.safeParse(row?.metadata);
  if (series.success) return series.data;
  throw unprocessable([{ code: "unknown_symbol", path: ["symbol"], message: "is not a synthetic asset" }]);
}

/**
 * The start of the last minute that the series' task has decided; null without a task. Throws a Refusal with status 503 when
 * the database is away or takes longer than `timeLimitMs`.
 */
export async function readCursor(database: Database, symbol: string, timeLimitMs: number): Promise<Date | null> {
  const row = unwrap(
    await database.from("data_agg_state").select("last_agg_bar_ts_utc")
      .eq("canonical_symbol", symbol).eq("timeframe", "1m")
      .abortSignal(AbortSignal.timeout(timeLimitMs))
      .maybeSingle<{ last_agg_bar_ts_utc: string | null }>().retry(false),
  );
  return row?.last_agg_bar_ts_utc == null ? null : new Date(row.last_agg_bar_ts_utc);
}

const countSchema = z.number().int();
const countsSchema = z.object({
  inserted: countSchema,
  updated: countSchema,
  unchanged: countSchema,
  removed: countSchema,
  skipped_incomplete: countSchema,
});

/** Minutes counted by what happened to them. */
export type Counts = z.output<typeof countsSchema>;

export const NO_COUNTS: Counts = { inserted: 0, updated: 0, unchanged: 0, removed: 0, skipped_incomplete: 0 };

/**
 * Derives the minutes of a range into `data_bars`, in one transaction. Idempotent. Throws a Refusal with status 503 when the
 * database is away or `signal` aborts the call first.
 */
export async function deriveRange(
  database: Database,
  symbol: string,
  range: Range,
  version: number,
  signal: AbortSignal,
): Promise<Counts> {
  const result = await database.rpc("derive_synthetic_range", {
    p_symbol: symbol,
    p_from_utc: range.from.toISOString(),
    p_to_utc: range.to.toISOString(),
    p_derivation_version: version,
  }).abortSignal(signal);
  return countsSchema.parse(unwrap(result));
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    inserted: a.inserted + b.inserted,
    updated: a.updated + b.updated,
    unchanged: a.unchanged + b.unchanged,
    removed: a.removed + b.removed,
    skipped_incomplete: a.skipped_incomplete + b.skipped_incomplete,
  };
}
