import type { Api } from "./api.ts";
import { readCounts, readList, readText } from "./answer.ts";
import { unwrap } from "./error.ts";
import { type Instant, readRange } from "./range.ts";

const DERIVE_COUNTS = ["inserted", "updated", "unchanged", "removed", "skipped_incomplete"] as const;

/** Minutes by what became of them; `skipped_incomplete` lack a component and have no bar. */
export type DeriveResult = Record<typeof DERIVE_COUNTS[number], number>;

/**
 * Derives DXY's minutes in [from, to) from its six pairs. Repeating it changes nothing. Throws a TypeError or RangeError
 * for a range that is none, a PgbarsError when it failed; nothing is stored then.
 */
export async function deriveDxyForWindow(
  api: Api,
  from: Instant,
  to: Instant,
): Promise<DeriveResult> {
  const call = "deriveDxyForWindow";
  const range = readRange(call, from, to);
  const answer = unwrap(call, await api.rpc("calc_dxy_range_1m", { p_from_utc: range.from, p_to_utc: range.to }));
  return readCounts(call, answer, DERIVE_COUNTS);
}

const SYNC_COUNTS = ["inserted", "updated", "reenabled", "disabled"] as const;

/** Tasks by what became of them. */
export type SyncResult = Record<typeof SYNC_COUNTS[number], number> & {
  /** The environment that was synced. */
  env: string;
  /** The assets whose tasks changed. */
  symbols: string[];
  /** The assets that were left out for their metadata. */
  refused: { canonical_symbol: string; problem: string }[];
};

/**
 * Makes the tasks follow the registry in an environment, that of the database where none is given; `DEV` and `TEST` (in
 * any case) look at `test_active`, every other environment at `active`. Repeating it changes nothing. Throws a PgbarsError when it failed.
 */
export async function syncRegistry(api: Api, env?: string): Promise<SyncResult> {
  const call = "syncRegistry";
  const answer = unwrap(call, await api.rpc("sync_agg_state_from_registry", env === undefined ? {} : { p_env: env }));
  return {
    env: readText(call, answer, "env"),
    ...readCounts(call, answer, SYNC_COUNTS),
    symbols: readList(call, answer, "symbols"),
    refused: readList(call, answer, "refused"),
  };
}
