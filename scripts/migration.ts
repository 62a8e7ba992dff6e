import { Command } from "commander";
import { startCluster } from "./lib/cluster.ts";
import { ensurePackages } from "./lib/debian.ts";
import { describeError } from "../cli/lib/error.ts";
import { rewriteFirstMigration, writeMigration } from "./schema/generate.ts";

const program = new Command("deno task migration")
  .description(
    "Writes the migration that leads from supabase/migrations to supabase/schemas. Read what it writes, and add changes of data by hand.",
  )
  .argument("[name]", "what the migration does, such as add_daily_bars")
  .option("--first", "write the one migration of the first release anew, as a copy of supabase/schemas", false)
  .parse(Deno.args, { from: "user" });

const [name] = program.args;
if ((name === undefined) !== program.opts<{ first: boolean }>().first) program.error("Give a name, or --first.");
try {
  console.log(`Wrote ${name === undefined ? await rewriteFirstMigration() : await writeNext(name)}.`);
} catch (error) {
  program.error(describeError(error));
}

async function writeNext(name: string): Promise<string> {
  await ensurePackages();
  await using cluster = await startCluster();
  return await writeMigration(cluster, name);
}
