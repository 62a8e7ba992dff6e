import type { Command } from "commander";
import { openCaller } from "../lib/caller.ts";
import { addConnectionOptions, addJsonOption, type ConnectionOptions, parseTime, readTarget } from "../lib/options.ts";
import { type OutputOptions, printResult } from "../lib/output.ts";
import { alignColumns } from "../lib/table.ts";

interface ExplainRow {
  item: string;
  value: string;
}

export function register(program: Command): void {
  addJsonOption(addConnectionOptions(program.command("explain")))
    .description("Say why a bar is as it is, or why there is no bar: the rows of agg_explain.")
    .argument("<symbol>", "a canonical symbol, such as EURUSD")
    .argument("<timeframe>", "1m, 5m, 1h, 1d, or another that the database has")
    .argument("<time>", "any instant in the window, as in 2026-01-05T10:00:00Z", parseTime)
    .action(explain);
}

async function explain(
  symbol: string,
  timeframe: string,
  time: string,
  options: ConnectionOptions & OutputOptions,
): Promise<void> {
  const caller = await openCaller(readTarget(options));
  try {
    const rows = await caller.call<ExplainRow>("agg_explain", {
      p_symbol: symbol,
      p_timeframe: timeframe,
      p_ts: time,
    });
    printResult(options, rows, alignColumns(rows.map(({ item, value }) => [item, value])).join("\n"));
  } finally {
    await caller.close();
  }
}
