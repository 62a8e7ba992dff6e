import { migrate } from "../lib/migrations.ts";
import type { Database } from "../lib/database.ts";
import { describeError } from "../lib/error.ts";
import { describeServer } from "../lib/server_url.ts";
import { type Backend, openEmbeddedBackend, openServerBackend } from "../lib/stack/backend.ts";
import type { DevOptions } from "./options.ts";

/** Opens the database that the options name. Throws an Error with a line for people when it cannot be reached. */
export async function openBackend({ db, keep }: DevOptions): Promise<Backend> {
  if (db === undefined) return await openEmbeddedBackend({ dataDir: keep });
  try {
    return await openServerBackend(db);
  } catch (cause) {
    throw new Error(`--db: cannot connect: ${describeError(cause)}`, { cause });
  }
}

/** Closes what is open. A folder that is being opened is waited for, so that it is left whole; a server is not. */
export async function closeBackend(opening: Promise<Backend> | undefined, { keep }: DevOptions): Promise<void> {
  const opened = keep === undefined ? [opening, Promise.resolve(undefined)] : [opening];
  const backend = await Promise.race(opened).catch(() => undefined);
  await backend?.close();
}

/** Applies the migrations that the database lacks, and says so where it is not this command's own. */
export async function applyMigrations(database: Database, { db }: DevOptions): Promise<void> {
  if (db !== undefined) console.log(`Applying the migrations that the Postgres at ${describeServer(db)} lacks.`);
  const applied = await migrate(database);
  if (db !== undefined) console.log(`${applied.length} migrations applied\n`);
}

/** Reads the file of `--sql`. Throws an Error with a line for people. */
export async function readSql(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw new Error(`--sql ${file}: ${describeError(cause)}`, { cause });
  }
}

/** Runs it past the Data API, which then looks at the schema again. Throws an Error with a line for people. */
export async function runSql({ db, connection }: Backend, sql: string, file: string): Promise<void> {
  try {
    await db.exec(sql);
  } catch (cause) {
    throw new Error(`--sql ${file}: ${describeError(cause)}`, { cause });
  }
  await connection.clearSchemaCache();
}

/** The database, for people. */
export function describeDatabase({ db, keep }: DevOptions): string {
  if (db !== undefined) return `the Postgres at ${describeServer(db)}.`;
  return keep === undefined
    ? "an embedded Postgres in memory, gone when it ends."
    : `the embedded Postgres in ${keep}.`;
}
