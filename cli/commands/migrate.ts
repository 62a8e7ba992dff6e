import { setTimeout } from "node:timers/promises";
import type { Command } from "commander";
import { withDatabase } from "../lib/database.ts";
import { applyNext, Locked, readVersion } from "../lib/migrate.ts";
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

/** For how long a release that meets locked tables is tried again. */
const PATIENCE_MS = 60_000;

async function migrate(options: DatabaseOptions & OutputOptions): Promise<void> {
  const url = readDatabaseUrl(options);
  const releases = await readReleases();
  const version = releases.at(-1)!.version;
  const from = await withDatabase(url, async (db) => await readVersion(db) ?? null);
  const applied: string[] = [];
  for (let until = Date.now() + PATIENCE_MS;;) {
    try {
      const next = await withDatabase(url, (db) => applyNext(db, releases, printRelease), printProgress);
      if (next === undefined) break;
      applied.push(next);
      until = Date.now() + PATIENCE_MS;
    } catch (error) {
      if (!(error instanceof Locked) || Date.now() > until) throw error;
      printProgress("Another session holds a table: trying again ...");
      await setTimeout(1000);
    }
  }
  const text = applied.length === 0
    ? `The database has pgbars ${version}. There is nothing to do.`
    : `The database has pgbars ${version} now. Applied: ${applied.join(", ")}.`;
  printResult(options, { version, from, applied }, text);
}

function printRelease(version: string): void {
  printProgress(`Applying release ${version} ...`);
}
