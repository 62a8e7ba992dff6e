import { createTwoFilesPatch } from "diff";
import { releasedVersion } from "../../cli/lib/releases.ts";
import type { Cluster } from "../lib/cluster.ts";
import { type Database, openServer } from "../lib/database.ts";
import { migrate, type Migration, readMigrations } from "../lib/migrations.ts";
import { mergeResults, oneCheck, type StepResult } from "../lib/result.ts";
import { readSchemaScript } from "../lib/schemas.ts";
import { dumpSchema } from "./dump.ts";
import { SUPABASE_FOLDER } from "./generate.ts";

/** Fills a database with rows of every table, as an installation in use has them. */
const ROWS = new URL("rows.sql", import.meta.url);

/**
 * Three ways to one schema: the migrations on an empty database, those after each release on a database of that release with
 * rows in it, and `supabase/schemas` on an empty database. A check for each release and one more: their dumps equal the first.
 */
export async function proveSchema(cluster: Cluster, folder: URL = SUPABASE_FOLDER): Promise<StepResult> {
  const migrations = await readMigrations(folder);
  const script = await readSchemaScript(new URL("schemas/", folder));

  const migrated = await build(cluster, (db) => migrate(db, migrations));
  const results = [];
  for (const [index, { name }] of migrations.entries()) {
    const version = releasedVersion(name);
    if (version === undefined) continue;
    const upgraded = await build(cluster, (db) => upgrade(db, migrations.slice(0, index + 1), migrations));
    results.push(
      compare(
        `migrations on release ${version} with rows in it`,
        upgraded,
        "migrations on an empty database",
        migrated,
      ),
    );
  }
  const described = await build(cluster, (db) => db.exec(script));
  return mergeResults([...results, compare("supabase/schemas", described, "supabase/migrations", migrated)]);
}

async function upgrade(db: Database, release: Migration[], all: Migration[]): Promise<void> {
  await migrate(db, release);
  await db.exec(await Deno.readTextFile(ROWS));
  await migrate(db, all);
}

async function build(cluster: Cluster, fill: (db: Database) => Promise<unknown>): Promise<string> {
  const url = await cluster.createDatabase(`pgbars_proof_${crypto.randomUUID()}`);
  const db = await openServer(url);
  try {
    await fill(db);
  } finally {
    await db.close();
  }
  return await dumpSchema(cluster, url);
}

function compare(leftName: string, left: string, rightName: string, right: string): StepResult {
  const patch = createTwoFilesPatch(leftName, rightName, left, right);
  return oneCheck(
    left === right,
    `The schema of ${leftName} is not that of ${rightName}.\n` +
      `After a change of supabase/schemas run \`deno task migration NAME\`, and read what it writes.\n${patch}`,
  );
}
