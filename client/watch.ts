import { unknownAnswer, unwrap } from "./answer.ts";
import type { Api } from "./api.ts";
import type { Timeframe } from "./bars.ts";
import type { Database } from "./database_types.ts";
import { PAGE } from "./pages.ts";
import { type Instant, readInstant } from "./range.ts";
import { show } from "./values.ts";

type Functions = Database["public"]["Functions"];
type Row<Name extends keyof Functions> = Functions[Name]["Returns"] extends (infer Item)[] ? Item : never;

/** How much a task, an asset or an alert needs to be looked at: 0 not, 1 it waits, 2 a warning, 3 critical. */
export type Attention = 0 | 1 | 2 | 3;

/** How one task stands. */
export interface FleetCell {
  timeframe: string;
  /** As in the database's function `agg_health`; `Fleet.states` has its words. */
  state: string;
  /** For how long the next window could have been decided, in seconds; null where nothing is built. */
  lag: number | null;
  attention: Attention;
}

export interface FleetAsset {
  symbol: string;
  attention: Attention;
  /** One for each of `Fleet.timeframes`; null where the asset has no such task. */
  cells: (FleetCell | null)[];
}

/** What has to be looked at: a task, or an alert. */
export interface FleetLook {
  /** `*` for all of the database. */
  symbol: string;
  /** `*` for all of the asset. */
  timeframe: string;
  attention: Attention;
  /** A state, or the kind of an alert. */
  state: string;
  words: string;
  /** The lag of a task, the age of an alert, in seconds. */
  lag: number | null;
  explanation: string;
}

/** How every task stands, as the database's function `agg_fleet` says it. */
export interface Fleet {
  /** The database's clock. */
  now: Date;
  paused: { until: string; reason: string } | null;
  /** Those that have a task, by length. */
  timeframes: string[];
  /** The words of each state. */
  states: Record<string, string>;
  /** How many tasks have attention 0, 1, 2 and 3. */
  tasks: number[];
  /** By attention, most first, then by symbol. */
  assets: FleetAsset[];
  /** What has attention 2 or 3, most first, at most 200. */
  look: FleetLook[];
  /** How many there are of these. */
  looks: number;
}

/** How one task of an asset stands. Intervals are text, as PostgreSQL prints them. */
export interface AssetTask {
  timeframe: string;
  is_mandatory: boolean;
  /** Null for minutes that arrive from outside. */
  state: string | null;
  words: string;
  attention: Attention;
  lag: string | null;
  due_for: string | null;
  /** The end of what is decided. */
  decided_to_utc: Date | null;
  next_run_at: string | null;
  explanation: string;
}

/** A row of `agg_check`: first the verdict, then what needs attention. */
export interface Check {
  check: string;
  subject: string;
  status: "PASS" | "WARN" | "FAIL";
  value: string;
  hint: string | null;
}

export interface Alert {
  alert_id: number;
  kind: string;
  canonical_symbol: string;
  timeframe: string;
  severity: "critical" | "warning";
  message: string;
  raised_at: Date;
  /** Null while it is open. */
  resolved_at: Date | null;
}

/** A call of the dispatcher. */
export interface Run extends Omit<Row<"agg_runs">, "started_at" | "finished_at"> {
  started_at: Date;
  finished_at: Date;
}

/** A row of `agg_explain`. */
export interface Explanation {
  item: string;
  value: string;
}

/** What a bar that changed was for a time, or is now. */
export interface BarVersion extends Omit<Row<"agg_bar_versions">, "ts_utc" | "written_at" | "replaced_at" | "reason"> {
  ts_utc: Date;
  written_at: Date;
  /** Null where it is what is stored now, as is `reason`. */
  replaced_at: Date | null;
  /** Why the next version replaced it. */
  reason: string | null;
}

export interface VersionQuery {
  symbol: string;
  timeframe: Timeframe;
  /** Start of the first window. */
  from: Instant;
  /** The end: windows that start here or later are left out. */
  to?: Instant;
}

export async function getFleet(api: Api): Promise<Fleet> {
  const call = "getFleet";
  const answer = unwrap(call, await api.rpc("agg_fleet")) as unknown as
    & Omit<Fleet, "now" | "assets">
    & { now: string; assets: [string, Attention, ([string, number | null, Attention] | null)[]][] };
  if (!Array.isArray(answer?.assets)) throw unknownAnswer(call, "it lacks the list assets");
  const { now, assets, ...rest } = answer;
  return {
    ...rest,
    now: new Date(now),
    assets: assets.map(([symbol, attention, cells]) => ({
      symbol,
      attention,
      cells: cells.map((cell, place) => {
        if (cell === null) return null;
        const [state, lag, attention] = cell;
        return { timeframe: rest.timeframes[place]!, state, lag, attention };
      }),
    })),
  };
}

export async function getAsset(api: Api, symbol: string): Promise<AssetTask[]> {
  const rows = readRows("getAsset", await api.rpc("agg_asset", { p_symbol: readText("getAsset: symbol", symbol) }));
  return rows.map((row) => ({ ...row, decided_to_utc: toDate(row.decided_to_utc) })) as AssetTask[];
}

export async function getChecks(api: Api, { all = false }: { all?: boolean } = {}): Promise<Check[]> {
  return readRows("getChecks", await api.rpc("agg_check", { p_all: all })) as Check[];
}

export async function getAlerts(api: Api, { openOnly = true }: { openOnly?: boolean } = {}): Promise<Alert[]> {
  const rows = readRows("getAlerts", await api.rpc("agg_alerts", { p_open_only: openOnly }));
  return rows.map((row) => ({
    ...row,
    raised_at: new Date(row.raised_at),
    resolved_at: toDate(row.resolved_at),
  })) as Alert[];
}

export async function getRuns(api: Api, { limit = 100 }: { limit?: number } = {}): Promise<Run[]> {
  const rows = readRows("getRuns", await api.rpc("agg_runs", { p_limit: limit }));
  return rows.map((row) => ({
    ...row,
    started_at: new Date(row.started_at),
    finished_at: new Date(row.finished_at),
  }));
}

export async function explain(api: Api, symbol: string, timeframe: Timeframe, at: Instant): Promise<Explanation[]> {
  return readRows(
    "explain",
    await api.rpc("agg_explain", {
      p_symbol: readText("explain: symbol", symbol),
      p_timeframe: readText("explain: timeframe", timeframe),
      p_ts: readInstant("explain: at", at),
    }),
  );
}

export async function getBarVersions(api: Api, query: VersionQuery): Promise<BarVersion[]> {
  const call = "getBarVersions";
  if (typeof query !== "object" || query === null) {
    throw new TypeError(`${call}: the query must be an object, not ${show(query)}`);
  }
  const from = readInstant(`${call}: from`, query.from);
  let to = query.to && readInstant(`${call}: to`, query.to);
  const args = {
    p_symbol: readText(`${call}: symbol`, query.symbol),
    p_timeframe: readText(`${call}: timeframe`, query.timeframe),
    p_from: from,
  };
  const found: Row<"agg_bar_versions">[] = [];
  while (true) {
    const page = readRows(
      call,
      await api.rpc("agg_bar_versions", { ...args, ...(to && { p_to: to }), p_limit: PAGE }).limit(PAGE),
    );
    const last = page.at(-1)?.ts_utc;
    if (last === undefined) break;
    // A project may be set to answer with fewer rows than asked for, and a page may end within a window. That window is
    // read again, unless it fills a page by itself.
    const whole = page.filter(({ ts_utc }) => ts_utc !== last);
    found.push(...(whole.length > 0 ? whole : page));
    to = readInstant(call, whole.at(-1)?.ts_utc ?? last);
    if (to <= from) break;
  }
  return found.map((row) => ({
    ...row,
    ts_utc: new Date(row.ts_utc),
    written_at: new Date(row.written_at),
    replaced_at: toDate(row.replaced_at),
  }));
}

function readRows<Item>(call: string, response: Parameters<typeof unwrap<Item[]>>[1]): Item[] {
  const rows = unwrap(call, response);
  if (!Array.isArray(rows)) throw unknownAnswer(call, "it is not a list");
  return rows;
}

function readText(name: string, value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`${name} must be text, not ${show(value)}`);
  return value;
}

function toDate(instant: string | null): Date | null {
  return instant === null ? null : new Date(instant);
}
