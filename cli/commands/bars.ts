import process from "node:process";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type BarRow, BARS_FORMATS, type BarsFormat, renderBars } from "../lib/bars.ts";
import { openCaller } from "../lib/caller.ts";
import { Failure } from "../lib/failure.ts";
import { addConnectionOptions, addJsonOption, type ConnectionOptions, parseTime, readTarget } from "../lib/options.ts";
import { type OutputOptions, printResult } from "../lib/output.ts";

interface BarsOptions extends ConnectionOptions, OutputOptions {
  timeframe: string;
  from?: string;
  to?: string;
  last?: number;
  fill?: boolean;
  forming?: boolean;
  asOf?: string;
  format: BarsFormat;
}

/** Bars that one call asks for. A project answers with at most 1,000 rows by default. */
const PAGE = 1000;

/** The latest bars of each symbol where neither --from nor --last is given. */
const LAST = 20;

export function register(program: Command): void {
  addJsonOption(addConnectionOptions(program.command("bars")))
    .description("Read bars: a table, CSV, or a chart in the terminal.")
    .argument("<symbols...>", "canonical symbols, such as EURUSD DXY")
    .requiredOption("--timeframe <timeframe>", "1m, 5m, 1h, 1d, or another that the database has")
    .option("--from <time>", "windows that start then or later, as in 2026-01-05T10:00:00Z or 2026-01-05", parseTime)
    .option("--to <time>", "windows that start before", parseTime)
    .option(
      "--last <count>",
      `the latest bars of each symbol (default: ${LAST}, where --from is not given)`,
      parseCount,
    )
    .option("--fill", "also windows without a bar in which the market is open, with the last close")
    .option("--forming", "also the window that is not decided yet, from the minutes so far")
    .option("--as-of <time>", "the bars as they were at that time, before later corrections", parseTime)
    .addOption(new Option("--format <format>", "how to show them").choices(BARS_FORMATS).default("table"))
    .addHelpText(
      "after",
      "\nTimes are in UTC. The key of --url may be one of a role that grant_read_access was run for.",
    )
    .action(bars);
}

async function bars(symbols: string[], options: BarsOptions): Promise<void> {
  if (options.from !== undefined && options.last !== undefined) throw new Failure("Give --from or --last, not both.");
  const last = options.from === undefined ? options.last ?? LAST : undefined;
  const caller = await openCaller(readTarget(options));
  const rows: BarRow[] = [];
  try {
    let page: BarRow[];
    let after: { canonical_symbol: string; ts_utc: string | Date } | undefined;
    do {
      page = await caller.call<BarRow>("get_bars", {
        p_symbols: symbols,
        p_timeframe: options.timeframe,
        p_from: options.from,
        p_to: options.to,
        p_limit: last ?? PAGE,
        p_after: after,
        p_fill: options.fill,
        p_forming: options.forming,
        p_as_of: options.asOf,
      });
      rows.push(...page.map((row) => ({ ...row, ts_utc: new Date(row.ts_utc).toISOString() })));
      const end = page.at(-1);
      after = end && { canonical_symbol: end.canonical_symbol, ts_utc: end.ts_utc };
    } while (page.length > 0 && (last === undefined || rows.length < last * new Set(symbols).size));
  } finally {
    await caller.close();
  }
  printResult(options, rows, renderBars(rows, options.format, process.stdout.columns ?? 100));
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("Give a number of bars above 0.");
}
