import type { Command } from "commander";
import { endMove, type EndMoveOptions } from "../lib/end_move.ts";
import { addDatabaseOption, addJsonOption } from "../lib/options.ts";

interface UndoOptions extends EndMoveOptions {
  minutes: boolean;
}

export function register(program: Command): void {
  addJsonOption(addDatabaseOption(program.command("undo-move")))
    .description(
      "Go back to the older deployment in one transaction: its tables, functions and jobs return, and pgbars is removed. Minutes " +
        "written since the move go to the old tables.",
    )
    .option("--no-minutes", "leave out the minutes written since the move")
    .option("--yes", "do not ask")
    .action((options: UndoOptions) =>
      endMove(
        options,
        `undo_move(p_keep_minutes => ${options.minutes})`,
        "Go back to the older deployment, and remove pgbars?",
        "The older deployment is back.",
      )
    );
}
