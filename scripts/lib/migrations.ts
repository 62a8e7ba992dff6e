import { describeError } from "../../cli/lib/error.ts";
import { type Migration, readMigrationFiles } from "../../cli/lib/migrations.ts";
import type { Database } from "./database.ts";

export type { Migration };

const SUPABASE_FOLDER = new URL("../../supabase/", import.meta.url);

/** Reads the migrations of a `supabase` folder in the order in which they apply. Throws when a file is not named like one. */
export async function readMigrations(folder: URL = SUPABASE_FOLDER): Promise<Migration[]> {
  return await readMigrationFiles(new URL("migrations/", folder), (file) => {
    throw new Error(`supabase/migrations/${file} is not named <digits>_<what it does>.sql`);
  });
}

/**
 * Applies those of `migrations` (the project's own when absent) that `db` does not have yet, each in a transaction of its own, and records them the way the
 * Supabase CLI does, so that `supabase db push` finds nothing to do afterwards. Returns the names applied now.
 * A migration that fails is rolled back and throws an Error that names its file; those before it stay applied.
 */
export async function migrate(db: Database, migrations?: readonly Migration[]): Promise<string[]> {
  await db.exec(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations
      (version text not null primary key, statements text[], name text);
  `);
  const rows = await db.query<{ version: string }>("select version from supabase_migrations.schema_migrations");
  const known = new Set(rows.map((row) => row.version));

  const applied: string[] = [];
  for (const migration of migrations ?? await readMigrations()) {
    if (known.has(migration.version)) continue;
    await applyOne(db, migration);
    applied.push(migration.name);
  }
  return applied;
}

async function applyOne(db: Database, { version, name, sql }: Migration): Promise<void> {
  await db.exec("begin");
  try {
    await db.exec(sql);
    await db.query(
      "insert into supabase_migrations.schema_migrations (version, name, statements) values ($1, $2, $3::text[])",
      [version, name, [sql]],
    );
    await db.exec("commit");
  } catch (cause) {
    await db.exec("rollback");
    const reason = describeError(cause);
    throw new Error(`migration ${version}_${name}.sql failed: ${reason}`, { cause });
  }
}
