import { Command } from "commander";
import { describeError } from "../cli/lib/error.ts";
import { release } from "./release/release.ts";

const program = new Command("deno task release")
  .description(
    "Makes a release: changelog, version, the migration that ends it, generated files, the proof of the schema, tarballs. " +
      'CHANGELOG.md needs a section "## VERSION, not released yet". Commit and tag what it writes.',
  )
  .argument("<version>", "such as 0.2.0")
  .parse(Deno.args, { from: "user" });

try {
  for (const line of await release(program.args[0]!)) console.log(line);
} catch (error) {
  program.error(describeError(error));
}
