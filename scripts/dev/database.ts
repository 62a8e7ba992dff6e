import { migrate } from "../lib/migrations.ts";
import type { Database } from "../lib/database.ts";
import { describeError } from "../../cli/lib/error.ts";
import { describeServer } from "../../cli/lib/server_url.ts";
import { type Backend, openEmbeddedBackend, openServerBackend } from "../lib/stack/backend.ts";
import type { DevOptions } from "./options.ts";

/** Opens the database that the options name. Throws an Error with a readable line when it cannot be reached. */
export async function openBackend({ db, keep }: DevOptions): Promise<Backend> {
  if (db === undefined) return await openEmbeddedBackend({ dataDir: keep });
  try {
    return await openServerBackend(db);
  } catch (cause) {
    throw new Error(`--db: cannot connect: ${describeError(cause)}`, { cause });
  }
}

/** Closes what is open. It waits for a folder that is still being opened, so that the folder stays whole, but not for a server. */
export async function closeBackend(opening: Promise<Backend> | undefined, { keep }: DevOptions): Promise<void> {
  const opened = keep === undefined ? [opening, Promise.resolve(undefined)] : [opening];
  const backend = await Promise.race(opened).catch(() => undefined);
  await backend?.close();
}

/** Applies the migrations that the database lacks, and prints that where the database is the caller's. */
export async function applyMigrations(database: Database, { db }: DevOptions): Promise<void> {
  if (db !== undefined) console.log(`Applying the migrations that the Postgres at ${describeServer(db)} lacks.`);
  const applied = await migrate(database);
  if (db !== undefined) console.log(`${applied.length} migrations applied\n`);
}

/** Reads the file of `--sql`. Throws an Error with a readable line. */
export async function readSql(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw new Error(`--sql ${file}: ${describeError(cause)}`, { cause });
  }
}

/** Runs SQL as the database's owner. The Data API then reads the schema again. Throws an Error with a readable line. */
export async function runSql({ db, connection }: Backend, sql: string, file: string): Promise<void> {
  try {
    await db.exec(sql);
  } catch (cause) {
    throw new Error(`--sql ${file}: ${describeError(cause)}`, { cause });
  }
  await connection.clearSchemaCache();
}

/** Describes the database for the welcome. */
export function describeDatabase({ db, keep }: DevOptions): string {
  if (db !== undefined) return `the Postgres at ${describeServer(db)}.`;
  return keep === undefined
    ? "an embedded Postgres in memory, gone when it ends."
    : `the embedded Postgres in ${keep}.`;
}
