import { readCounts, unwrap } from "./answer.ts";
import type { Api } from "./api.ts";
import { type Instant, readRange } from "./range.ts";

const CALL = "deriveDxyForWindow";
const COUNTS = ["inserted", "updated", "unchanged", "removed", "skipped_incomplete"] as const;

/** Minutes counted by what happened to them; `skipped_incomplete` minutes lack a component and have no bar. */
export type DeriveResult = Record<typeof COUNTS[number], number>;

/**
 * Derives DXY's minutes in [from, to) from its six pairs, in one transaction. Idempotent. Throws a TypeError or RangeError
 * for a range that does not make sense, and a PgbarsError when the call failed; nothing is stored then.
 */
export async function deriveDxyForWindow(api: Api, from: Instant, to: Instant): Promise<DeriveResult> {
  const range = readRange(CALL, from, to);
  const answer = unwrap(CALL, await api.rpc("calc_dxy_range_1m", { p_from_utc: range.from, p_to_utc: range.to }));
  return readCounts(CALL, answer, COUNTS);
}
