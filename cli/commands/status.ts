import type { Command } from "commander";
import { openCaller } from "../lib/caller.ts";
import { describeMove, type MoveRow } from "../lib/move_status.ts";
import { addConnectionOptions, addJsonOption, type ConnectionOptions, readTarget } from "../lib/options.ts";
import { type OutputOptions, printResult } from "../lib/output.ts";

export function register(program: Command): void {
  addJsonOption(addConnectionOptions(program.command("status")))
    .description("Say what a move took over, what stayed and why, and what undo-move and finish-move may do.")
    .action(status);
}

async function status(options: ConnectionOptions & OutputOptions): Promise<void> {
  const caller = await openCaller(readTarget(options));
  try {
    const rows = await caller.call<MoveRow>("move_status");
    printResult(options, rows, describeMove(rows));
  } finally {
    await caller.close();
  }
}
