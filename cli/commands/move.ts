import type { Command } from "commander";
import { withDatabase } from "../lib/database.ts";
import { apply, findMissing, prepare, readVersion } from "../lib/migrate.ts";
import { describeMove, type MoveRow } from "../lib/move_status.ts";
import { addDatabaseOption, addJsonOption, type DatabaseOptions, readDatabaseUrl } from "../lib/options.ts";
import { type OutputOptions, printProgress, printResult } from "../lib/output.ts";
import { readReleases } from "../lib/payload.ts";

interface MoveOptions extends DatabaseOptions, OutputOptions {
  dryRun?: boolean;
}

interface Moved {
  from: string | null;
  applied: string[];
  rows: MoveRow[];
}

export function register(program: Command): void {
  addJsonOption(addDatabaseOption(program.command("move")))
    .description(
      "Move an older deployment: set its tables and functions aside, install, copy its rows, all in one transaction. Prints what " +
        "went where, and what stayed and why.",
    )
    .option("--dry-run", "do the same, print it, and roll it back")
    .action(move);
}

async function move(options: MoveOptions): Promise<void> {
  const url = readDatabaseUrl(options);
  const releases = await readReleases();
  const version = releases.at(-1)!.version;
  const moved = await withDatabase(url, async (db) => {
    let result: Moved | undefined;
    const work = db.transaction(async (transaction) => {
      await prepare(transaction);
      const from = await readVersion(transaction) ?? null;
      const missing = await findMissing(transaction, releases);
      for (const release of missing) {
        printProgress(`Applying release ${release.version} ...`);
        await apply(transaction, release);
      }
      const rows = await transaction.query<MoveRow>("select * from public.move_status()");
      result = { from, applied: missing.map((release) => release.version), rows };
      if (options.dryRun) throw ROLLBACK;
    });
    await work.catch((error) => {
      if (error !== ROLLBACK) throw error;
    });
    return result!;
  }, printProgress);
  const heading = moved.applied.length === 0
    ? `The database has pgbars ${version}. Nothing was moved now.`
    : options.dryRun
    ? `A dry run: this would bring pgbars ${version}. Everything was rolled back.`
    : `The database has pgbars ${version} now.`;
  const result = { version, dryRun: options.dryRun ?? false, ...moved };
  printResult(options, result, `${heading}\n\n${describeMove(moved.rows)}`);
}

const ROLLBACK = new Error("dry run");
