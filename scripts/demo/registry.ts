import type { Database } from "../lib/database.ts";
import type { Market } from "./generator.ts";
import { HOUR } from "../../cli/lib/import/bar.ts";

/** How the bars of a demo database came about; kept with each of its assets, under `metadata.demo`. */
export type Mark = { source: "generated" } & Market | { source: "files" };

export interface AssetRow {
  symbol: string;
  assetClass: string | null;
  description: string;
  /** Its first bar, milliseconds since the epoch: aggregation begins with that hour. */
  firstBar: number;
  /** `metadata.agg.session`, where it is not round the clock. */
  session?: Record<string, unknown> | string | undefined;
}

/**
 * The mark of a database that an earlier run has filled; undefined for a fresh one.
 * Throws when the database holds an asset that the demo has not made.
 */
export async function readMark(db: Database): Promise<Mark | undefined> {
  const rows = await db.query<{ canonical_symbol: string; mark: Mark | null }>(`
    select r.canonical_symbol, r.metadata -> 'demo' as mark
    from public.core_asset_registry_all as r
    where r.metadata -> 'is_synthetic' is distinct from 'true'
    order by r.metadata -> 'demo' is not null, r.canonical_symbol`);
  const [first] = rows;
  if (first === undefined) return undefined;
  if (first.mark === null) {
    throw new Error(`the database holds ${first.canonical_symbol}, which is not of this demo: give it one of its own`);
  }
  return first.mark;
}

/** Adds assets, active in every environment. One that is there keeps its start, so that its cursors stay true. */
export async function registerAssets(db: Database, assets: readonly AssetRow[], mark: Mark): Promise<void> {
  for (const { symbol, assetClass, description, firstBar, session } of assets) {
    const start = new Date(Math.floor(firstBar / HOUR) * HOUR).toISOString();
    await db.query(
      `insert into public.core_asset_registry_all as r
         (canonical_symbol, asset_class, description, active, test_active, metadata)
       values ($1, $2, $3, true, true, $4::jsonb)
       on conflict (canonical_symbol) do nothing`,
      [symbol, assetClass, description, { demo: mark, agg: { start_utc: start, ...(session && { session }) } }],
    );
  }
}

/** The series that the database computes from others, with their components. */
export async function syntheticSeries(db: Database): Promise<Map<string, string[]>> {
  const rows = await db.query<{ canonical_symbol: string; components: string[] }>(`
    select r.canonical_symbol, r.metadata -> 'components' as components
    from public.core_asset_registry_all as r
    where r.metadata -> 'is_synthetic' = 'true'
    order by r.canonical_symbol`);
  return new Map(rows.map((row) => [row.canonical_symbol, row.components]));
}

/** What {@link switchSynthetic} found. */
export interface SyntheticSwitch {
  /** Series that are off, with the components they lack. */
  lacking: Map<string, string[]>;
  /** Series that got their start now. */
  started: string[];
}

/**
 * Switches each synthetic series on when all its components are registered, from the start of the first of them,
 * and off otherwise. To be called before {@link syncTasks}.
 */
export async function switchSynthetic(db: Database): Promise<SyntheticSwitch> {
  const lacking = new Map<string, string[]>();
  const started: string[] = [];
  for (const [symbol, components] of await syntheticSeries(db)) {
    const registered = await db.query<{ canonical_symbol: string; start_utc: string }>(
      `select r.canonical_symbol, r.metadata -> 'agg' ->> 'start_utc' as start_utc
       from public.core_asset_registry_all as r
       where r.canonical_symbol = any($1::text[])
       order by (r.metadata -> 'agg' ->> 'start_utc')::timestamptz`,
      [components],
    );
    const missing = components.filter((name) => !registered.some((row) => row.canonical_symbol === name));
    if (missing.length > 0) lacking.set(symbol, missing);
    await db.query(
      "update public.core_asset_registry_all set active = $2, test_active = $2 where canonical_symbol = $1",
      [symbol, missing.length === 0],
    );
    if (missing.length > 0) continue;
    const [start] = await db.query(
      `update public.core_asset_registry_all as r
       set metadata = jsonb_set(r.metadata, '{agg}', coalesce(r.metadata -> 'agg', '{}') || $2::jsonb)
       where r.canonical_symbol = $1 and r.metadata -> 'agg' -> 'start_utc' is null
       returning 1`,
      [symbol, { start_utc: registered[0]!.start_utc }],
    );
    if (start !== undefined) started.push(symbol);
  }
  return { lacking, started };
}

/**
 * Makes the tasks follow the registry, at `now` on the demo's own clock, and puts the tasks of the series `started` at
 * their start. Rejects when the metadata of an asset is refused.
 */
export async function syncTasks(db: Database, now: Date, started: readonly string[]): Promise<void> {
  const [row] = await db.query<{ result: { refused: { canonical_symbol: string; problem: string }[] } }>(
    "select public.sync_agg_state_from_registry(null) as result",
  );
  const refused = row!.result.refused.map((one) => `${one.canonical_symbol}: ${one.problem}`);
  if (refused.length > 0) throw new Error(`the registry sync refuses ${refused.join("; ")}`);
  await db.query(
    `select public.agg_bootstrap_cursor(s.canonical_symbol, s.timeframe)
     from public.data_agg_state as s where s.canonical_symbol = any($1::text[])`,
    [started],
  );
  // New tasks are due by the wall clock; those of an earlier run may be due later than this run's clock begins.
  await db.query("update public.data_agg_state set next_run_at = $1 where next_run_at > $1", [now]);
}

/**
 * Takes the jobs of pg_cron away, where there are any, since they run by the wall clock and not by the demo's.
 * Returns how many there were.
 */
export async function unscheduleJobs(db: Database): Promise<number> {
  const [cron] = await db.query("select from pg_catalog.pg_extension where extname = 'pg_cron'");
  if (cron === undefined) return 0;
  return (await db.query("select cron.unschedule(j.jobid) from cron.job as j where j.jobname like 'pgbars:%'")).length;
}
