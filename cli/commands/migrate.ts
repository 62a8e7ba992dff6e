import type { Command } from "commander";
import { withDatabase } from "../lib/database.ts";
import { migrate as migrateDatabase, readVersion } from "../lib/migrate.ts";
import { addDatabaseOption, addJsonOption, type DatabaseOptions, readDatabaseUrl } from "../lib/options.ts";
import { type OutputOptions, printProgress, printResult } from "../lib/output.ts";
import { readReleases } from "../lib/payload.ts";

export function register(program: Command): void {
  addJsonOption(addDatabaseOption(program.command("migrate")))
    .description(
      "Bring a database that no folder supabase describes to this version: the releases that it does not have, each in one " +
        "transaction, recorded in pgbars_releases.release.",
    )
    .action(migrate);
}

async function migrate(options: DatabaseOptions & OutputOptions): Promise<void> {
  const url = readDatabaseUrl(options);
  const releases = await readReleases();
  const version = releases.at(-1)!.version;
  await withDatabase(url, async (db) => {
    const from = await readVersion(db) ?? null;
    const applied = await migrateDatabase(db, releases, (version) => printProgress(`Applying release ${version} ...`));
    const text = applied.length === 0
      ? `The database has pgbars ${version}. There is nothing to do.`
      : `The database has pgbars ${version} now. Applied: ${applied.join(", ")}.`;
    printResult(options, { version, from, applied }, text);
  }, printProgress);
}
