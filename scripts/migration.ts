import { Command } from "commander";
import { startCluster } from "./lib/cluster.ts";
import { ensurePackages } from "./lib/debian.ts";
import { describeError } from "../cli/lib/error.ts";
import { writeMigration } from "./schema/generate.ts";

const program = new Command("deno task migration")
  .description(
    "Writes the migration pgbars_next_<name> that leads from supabase/migrations to supabase/schemas. " +
      "Read what it writes, and add changes of data by hand.",
  )
  .argument("<name>", "what the migration does, such as add_daily_bars")
  .parse(Deno.args, { from: "user" });

try {
  await ensurePackages();
  await using cluster = await startCluster();
  // undo_move() knows the migrations of pgbars by their names.
  console.log(`Wrote ${await writeMigration(cluster, `pgbars_next_${program.args[0]!}`)}.`);
} catch (error) {
  program.error(describeError(error));
}
