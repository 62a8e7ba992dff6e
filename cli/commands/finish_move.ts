import type { Command } from "commander";
import { endMove } from "../lib/end_move.ts";
import { addDatabaseOption, addJsonOption } from "../lib/options.ts";

export function register(program: Command): void {
  addJsonOption(addDatabaseOption(program.command("finish-move")))
    .description(
      "Drop what a move has set aside. There is no way back. Refuses while something still uses it, or a check fails.",
    )
    .option("--despite-checks", "finish although a check fails", false)
    .option("--yes", "do not ask")
    .action((options) =>
      endMove(
        options,
        `finish_move(p_despite_checks => ${options.despiteChecks})`,
        "Drop what the move has set aside? There is no way back.",
        "What was set aside is dropped.",
      )
    );
}
