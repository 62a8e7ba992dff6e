import type { Cluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { run } from "../../scripts/lib/process.ts";
import { dumpSchema } from "../../scripts/schema/dump.ts";

const ROLES = new URL("../../supabase/schemas/10_foundation/roles.schema.sql", import.meta.url);
const FIXTURES = new URL("../fixtures/older/", import.meta.url);

/** The shapes of older deployments, files of tests/fixtures/older. */
export const SHAPES = [
  "documents",
  "surrogate_id",
  "is_active",
  "numeric",
  "no_zone",
  "only_bars",
  "only_functions",
  "executed",
] as const;

export type Shape = typeof SHAPES[number];

/** After the last minute of every shape. */
export const NOW = new Date("2026-01-06T00:00:00Z");

/** A database with an older deployment in it, and a session on it. */
export interface Older extends AsyncDisposable {
  readonly db: Database;
  readonly url: string;
  connect(): Promise<Database>;
}

export async function openOlder(cluster: Cluster, shape?: Shape): Promise<Older> {
  const url = await cluster.createDatabase(`pgbars_older_${crypto.randomUUID()}`);
  const sessions: Database[] = [];
  const connect = async () => {
    const session = await openServer(url);
    sessions.push(session);
    return session;
  };
  const db = await connect();
  // As on Supabase.
  await db.exec(await Deno.readTextFile(ROLES));
  if (shape !== undefined) await db.exec(await readShape(shape));
  return {
    db,
    url,
    connect,
    async [Symbol.asyncDispose]() {
      await Promise.all(sessions.map((session) => session.close()));
    },
  };
}

export function readShape(shape: Shape): Promise<string> {
  return Deno.readTextFile(new URL(`${shape}.sql`, FIXTURES));
}

/** Everything but what records migrations, with its rows, as pg_dump writes it. */
export async function dumpAll({ binDir }: Cluster, url: string): Promise<string> {
  const args = [
    "--no-owner",
    "--exclude-schema=supabase_migrations",
    "--exclude-schema=pgbars_releases",
    `--dbname=${url}`,
  ];
  const { code, stdout, report } = await run(`${binDir}/pg_dump`, args);
  if (code !== 0) throw new Error(report);
  return stdout.replaceAll(/^\\(?:un)?restrict .*\n/gm, "");
}

/**
 * The schema of pgbars in a database after a move, as pg_dump writes it. What the older deployment had beside the names of
 * pgbars is dropped for that, so that this is the last that a test asks of the database.
 */
export async function dumpMovedSchema(cluster: Cluster, { db, url }: Older): Promise<string> {
  await db.exec(`
    drop schema if exists pgbars_before cascade;
    drop view if exists public.latest_bars;
    drop table if exists public.data_agg_state_backup_20260113;
    drop function if exists public.set_updated_at, public.calc_dxy_range_derived;
  `);
  return await dumpSchema(cluster, url);
}

/** Rows of a move, as move_status() lists them. */
export interface StatusRow {
  subject: string;
  outcome: string;
  rows: number | null;
  explanation: string;
}

export function readStatus(db: Database): Promise<StatusRow[]> {
  return db.query("select s.* from public.move_status() as s");
}

/** What move_status() says of the rows of tables: `table: outcome, explanation` with the number of rows. */
export async function readCounts(db: Database): Promise<Record<string, number>> {
  const rows = (await readStatus(db)).filter(({ rows }) => rows !== null);
  return Object.fromEntries(
    rows.map(({ subject, outcome, rows, explanation }) => [`${subject} ${outcome}: ${explanation}`, rows!]),
  );
}
