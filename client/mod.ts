import type { SupabaseClient } from "@supabase/supabase-js";
import type { Api } from "./api.ts";
import { type Bar, type BarQuery, fetchBars, type MinuteQuery } from "./bars.ts";
import { deriveDxyForWindow, type DeriveResult, syncRegistry, type SyncResult } from "./calls.ts";
import type { Instant } from "./range.ts";
import { type BarInput, upsertBars, type UpsertResult } from "./upsert.ts";

export type { Bar, BarQuery, MinuteQuery, Timeframe } from "./bars.ts";
export type { DeriveResult, SyncResult } from "./calls.ts";
export type { Database } from "./database_types.ts";
export { PgbarsError } from "./error.ts";
export type { Instant } from "./range.ts";
export type { BarInput, RefusedBar, UpsertResult } from "./upsert.ts";

/** What pgbars does over the Data API. Every call may be repeated. */
export interface Pgbars {
  /**
   * Every bar whose window starts in [from, to), in the order of `symbols`, by time within each. Throws a TypeError or
   * RangeError for arguments that make no sense, a {@link PgbarsError} when a request failed.
   */
  fetchBars(query: BarQuery): Promise<Bar[]>;
  /** {@link Pgbars.fetchBars} of the timeframe 1m. */
  fetch1mBars(query: MinuteQuery): Promise<Bar[]>;
  /** Derives DXY's minutes in [from, to) from its six pairs. Throws as {@link Pgbars.fetchBars} does; nothing is stored then. */
  deriveDxyForWindow(from: Instant, to: Instant): Promise<DeriveResult>;
  /**
   * Makes the tasks follow the registry, in the environment of the database where none is given. Any other one switches
   * off the tasks of the assets that are not active in it.
   */
  syncRegistry(env?: string): Promise<SyncResult>;
  /**
   * Stores 1m bars; bad ones are refused and the others stored. Throws a {@link PgbarsError} when a call failed, whose
   * `soFar` says what the calls before it did.
   */
  upsertBars<Row extends BarInput>(rows: readonly Row[]): Promise<UpsertResult<Row>>;
}

/** Wraps a supabase-js client, typed or not, whatever schema it is set to. It keeps nothing and closes nothing. */
export function createPgbars(supabase: Pick<SupabaseClient, "schema">): Pgbars {
  const api: Api = supabase.schema("public");
  return {
    fetchBars: (query) => fetchBars(api, query),
    fetch1mBars: (query) => fetchBars(api, { ...query, timeframe: "1m" }, "fetch1mBars"),
    deriveDxyForWindow: (from, to) => deriveDxyForWindow(api, from, to),
    syncRegistry: (env) => syncRegistry(api, env),
    upsertBars: (rows) => upsertBars(api, rows),
  };
}
