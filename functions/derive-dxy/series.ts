import { z } from "zod";
import { type Database, unwrap } from "../_shared/database.ts";
import { unprocessable } from "../_shared/validation.ts";
import type { Range } from "./request.ts";

const seriesSchema = z.object({
  is_synthetic: z.literal(true),
  components: z.array(z.string()),
  derivation_version: z.number().int().default(1),
});

/** How a synthetic series is made up; `derivation_version` is the one that the dispatcher uses. */
export type Series = z.output<typeof seriesSchema>;

/**
 * Reads a series from the registry, in so many milliseconds at most. Throws a Refusal with status 422 when there is no
 * synthetic asset of that name.
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

/** The start of the last minute that the series' task has decided, read in so many milliseconds at most; null without a task. */
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

/** Minutes, by what became of them. */
export type Counts = z.output<typeof countsSchema>;

export const NO_COUNTS: Counts = { inserted: 0, updated: 0, unchanged: 0, removed: 0, skipped_incomplete: 0 };

/** Derives the minutes of a range into `data_bars`, until `signal` says that it took too long; repeating it changes nothing. */
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
