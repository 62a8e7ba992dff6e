import type { SupabaseClient } from "@supabase/supabase-js";
import type { Api } from "./api.ts";
import type { Realtime } from "./bar_channel.ts";
import type { BarInput, UpsertOptions, UpsertResult } from "./bar_input.ts";
import { type Bar, type BarQuery, fetchBars, type MinuteQuery } from "./bars.ts";
import { deriveDxyForWindow, type DeriveResult } from "./derive_dxy.ts";
import { type Change, type ChangeQuery, getChanges } from "./get_changes.ts";
import { getBars, type GetBarsQuery, type ReadBar } from "./get_bars.ts";
import type { Instant } from "./range.ts";
import { type BarSubscription, subscribeBars, type Subscription } from "./subscribe_bars.ts";
import { syncRegistry, type SyncResult } from "./sync_registry.ts";
import { upsertBars } from "./upsert.ts";
import {
  type Alert,
  type AssetTask,
  type BarVersion,
  type Check,
  explain,
  type Explanation,
  type Fleet,
  getAlerts,
  getAsset,
  getBarVersions,
  getChecks,
  getFleet,
  getRuns,
  type Run,
  type VersionQuery,
} from "./watch.ts";

export type { BarInput, RefusedBar, UpsertOptions, UpsertResult } from "./bar_input.ts";
export { type Bar, type BarQuery, type MinuteQuery, type Timeframe, TIMEFRAMES } from "./bars.ts";
export type { Database } from "./database_types.ts";
export type { DeriveResult } from "./derive_dxy.ts";
export type { Change, ChangedBar, ChangeQuery } from "./get_changes.ts";
export type { GetBarsQuery, ReadBar } from "./get_bars.ts";
export { PgbarsError } from "./error.ts";
export type { Instant } from "./range.ts";
export type { BarSubscription, BarUpdate, Subscription } from "./subscribe_bars.ts";
export type { SyncResult } from "./sync_registry.ts";
export type {
  Alert,
  AssetTask,
  Attention,
  BarVersion,
  Check,
  Explanation,
  Fleet,
  FleetAsset,
  FleetCell,
  FleetLook,
  Run,
  VersionQuery,
} from "./watch.ts";

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
   * Reads what the bars of one series that changed have been, the newest window first, and the versions of a window by
   * time; what is stored now is the last one. Throws as {@link Pgbars.fetchBars} does.
   */
  getBarVersions(query: VersionQuery): Promise<BarVersion[]>;
  /** Reads why a bar is as it is, or why there is no bar. Throws as {@link Pgbars.fetchBars} does. */
  explain(symbol: string, timeframe: string, at: Instant): Promise<Explanation[]>;
  /** Reads how every task stands, in one request. Throws a {@link PgbarsError} when it failed, as do those that follow. */
  getFleet(): Promise<Fleet>;
  /** Reads how the tasks of one asset stand, by length of the timeframe. */
  getAsset(symbol: string): Promise<AssetTask[]>;
  /** Reads the verdict, then what needs attention; with `all` also the checks that pass. */
  getChecks(options?: { all?: boolean }): Promise<Check[]>;
  /** Reads the alerts that are open, critical ones first; without `openOnly` also those of the last 90 days. */
  getAlerts(options?: { openOnly?: boolean }): Promise<Alert[]>;
  /** Reads the last calls of the dispatcher, newest first. */
  getRuns(options?: { limit?: number }): Promise<Run[]>;
  /**
   * Hands over the latest bars of symbols, and then those that are built or corrected: by Realtime broadcast where the
   * database sends it (`enable_broadcast`), and by polling in any case, since a message may be lost without an error. Throws a
   * TypeError or RangeError for arguments that do not make sense; what goes wrong later goes to `onError`.
   */
  subscribeBars(subscription: BarSubscription): Subscription;
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

/** Wraps a supabase-js client, typed or not, whatever its schema is. But for subscriptions it keeps no state, and it closes nothing. */
export function createPgbars(supabase: Pick<SupabaseClient, "schema"> & Partial<Realtime>): Pgbars {
  const api: Api = supabase.schema("public");
  return {
    fetchBars: (query) => fetchBars(api, query),
    fetch1mBars: (query) => fetchBars(api, { ...query, timeframe: "1m" }, "fetch1mBars"),
    getBars: (query) => getBars(api, query),
    getChanges: (query) => getChanges(api, query),
    getBarVersions: (query) => getBarVersions(api, query),
    explain: (symbol, timeframe, at) => explain(api, symbol, timeframe, at),
    getFleet: () => getFleet(api),
    getAsset: (symbol) => getAsset(api, symbol),
    getChecks: (options) => getChecks(api, options),
    getAlerts: (options) => getAlerts(api, options),
    getRuns: (options) => getRuns(api, options),
    subscribeBars: (subscription) => subscribeBars(api, supabase, subscription),
    deriveDxyForWindow: (from, to) => deriveDxyForWindow(api, from, to),
    syncRegistry: (env) => syncRegistry(api, env),
    upsertBars: (rows, options) => upsertBars(api, rows, options),
  };
}
