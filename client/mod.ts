import type { SupabaseClient } from "@supabase/supabase-js";
import type { Api } from "./api.ts";
import type { BarInput, UpsertOptions, UpsertResult } from "./bar_input.ts";
import { type Bar, type BarQuery, fetchBars, type MinuteQuery } from "./bars.ts";
import { deriveDxyForWindow, type DeriveResult } from "./derive_dxy.ts";
import { type Change, type ChangeQuery, getChanges } from "./get_changes.ts";
import { getBars, type GetBarsQuery, type ReadBar } from "./get_bars.ts";
import type { Instant } from "./range.ts";
import { syncRegistry, type SyncResult } from "./sync_registry.ts";
import { upsertBars } from "./upsert.ts";

export type { BarInput, RefusedBar, UpsertOptions, UpsertResult } from "./bar_input.ts";
export { type Bar, type BarQuery, type MinuteQuery, type Timeframe, TIMEFRAMES } from "./bars.ts";
export type { Database } from "./database_types.ts";
export type { DeriveResult } from "./derive_dxy.ts";
export type { Change, ChangedBar, ChangeQuery } from "./get_changes.ts";
export type { GetBarsQuery, ReadBar } from "./get_bars.ts";
export { PgbarsError } from "./error.ts";
export type { Instant } from "./range.ts";
export type { SyncResult } from "./sync_registry.ts";

/** What pgbars does over the Data API. Every call is idempotent: it may be repeated after any failure. */
export interface Pgbars {
  /**
   * Reads every bar whose window starts in [from, to), in the order of `symbols`, by time within each symbol. A symbol
   * that is not known has no bars. Throws a TypeError or RangeError for arguments that do not make sense, and a
   * {@link PgbarsError} when a request failed; it never returns a part of the bars.
   */
  fetchBars(query: BarQuery): Promise<Bar[]>;
  /** {@link Pgbars.fetchBars} of the timeframe 1m. */
  fetch1mBars(query: MinuteQuery): Promise<Bar[]>;
  /**
   * Reads bars with the database's own function: the latest of each symbol, windows without a bar, the window that is not
   * decided yet, or bars as they were at an earlier time. Throws as {@link Pgbars.fetchBars} does.
   */
  getBars(query: GetBarsQuery): Promise<ReadBar[]>;
  /** Reads which bars changed after they had been built, with what they were. Throws as {@link Pgbars.fetchBars} does. */
  getChanges(query: ChangeQuery): Promise<Change[]>;
  /**
   * Derives DXY's minutes in [from, to) from its six pairs, in one transaction of at most two minutes. Throws as
   * {@link Pgbars.fetchBars} does; nothing is stored then.
   */
  deriveDxyForWindow(from: Instant, to: Instant): Promise<DeriveResult>;
  /**
   * Makes the tasks follow the registry, by default in the database's own environment. With an `env` that looks at the
   * other flag (`test_active` instead of `active`, or the reverse), it switches off the tasks of every asset that is not
   * active there. Throws a {@link PgbarsError} when the call failed; nothing is changed then.
   */
  syncRegistry(env?: string): Promise<SyncResult>;
  /**
   * Stores 1m bars in batches of 1,000, a transaction each. Bad rows are refused and the others stored. Null and a field
   * that is left out mean unknown, and replace what is stored. Throws a TypeError where `rows` is not an array, and a
   * {@link PgbarsError} when a call failed; its `soFar` says what the batches before did.
   */
  upsertBars<Row extends BarInput>(rows: readonly Row[], options?: UpsertOptions): Promise<UpsertResult<Row>>;
}

/** Wraps a supabase-js client, typed or not, whatever its schema is. It keeps no state and closes nothing. */
export function createPgbars(supabase: Pick<SupabaseClient, "schema">): Pgbars {
  const api: Api = supabase.schema("public");
  return {
    fetchBars: (query) => fetchBars(api, query),
    fetch1mBars: (query) => fetchBars(api, { ...query, timeframe: "1m" }, "fetch1mBars"),
    getBars: (query) => getBars(api, query),
    getChanges: (query) => getChanges(api, query),
    deriveDxyForWindow: (from, to) => deriveDxyForWindow(api, from, to),
    syncRegistry: (env) => syncRegistry(api, env),
    upsertBars: (rows, options) => upsertBars(api, rows, options),
  };
}
