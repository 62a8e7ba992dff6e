import { readCounts, readList, readText, unwrap } from "./answer.ts";
import type { Api } from "./api.ts";

const CALL = "syncRegistry";
const COUNTS = ["inserted", "updated", "reenabled", "disabled"] as const;

/** Tasks counted by what happened to them. */
export type SyncResult = Record<typeof COUNTS[number], number> & {
  /** The environment that was synced. */
  env: string;
  /** The assets whose tasks changed. */
  symbols: string[];
  /**
   * Metadata that were not understood. `leaves_out` says what the tasks do without: the `key` alone, the computed `series`,
   * or the whole `asset`, whose tasks stay as they are.
   */
  refused: { canonical_symbol: string; problem: string; leaves_out: "key" | "series" | "asset" }[];
};

/**
 * Makes the tasks follow the registry in an environment, by default the database's own. `DEV` and `TEST` in any case look
 * at `test_active`, every other environment at `active`. An environment other than the database's own switches off the
 * tasks of every asset that is not active in it. Idempotent. Throws a PgbarsError when the call failed; nothing is changed
 * then.
 */
export async function syncRegistry(api: Api, env?: string): Promise<SyncResult> {
  const answer = unwrap(CALL, await api.rpc("sync_agg_state_from_registry", env === undefined ? {} : { p_env: env }));
  return {
    env: readText(CALL, answer, "env"),
    ...readCounts(CALL, answer, COUNTS),
    symbols: readList(CALL, answer, "symbols"),
    refused: readList(CALL, answer, "refused"),
  };
}
