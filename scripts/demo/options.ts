import { Command, InvalidArgumentError, Option } from "commander";
import type { ReadOptions } from "../../cli/lib/import/layout.ts";
import { readOptions } from "../../cli/lib/import/read_options.ts";
import { maxWeeks } from "./assets.ts";

/** The command line of the demo. What was not given is absent. */
export interface DemoOptions extends ReadOptions {
  once?: true;
  data?: string;
  db?: string;
  keep?: string;
  weeks?: number;
  seed?: number;
  hours?: number;
  explain?: true;
  sql?: string;
  csv?: true;
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
  };
}

const csvFormat = `\
--data takes the .csv, .txt, .tsv (packed or not) and .zip files of a folder as
\`pgbars import\` does (docs/import.md): files of vendors, and CSV whose first
line names the columns.
  ts_utc                    start of the minute, with a zone or as an epoch, such
                            as 2025-01-31T09:59:00Z or 2025-01-31 10:59 +01:00
  open, high, low, close    prices, such as 1234.5
  vol, vwap, trade_count    may be missing, or empty where unknown
  canonical_symbol          may be missing: then the file is named after the
                            symbol, such as GBPUSD.csv or GBPUSD_1m.csv.gz
A row that is wrong is refused and named with its line; the others are loaded.`;

const exitStatus = `\
Exit status: 0, or 1 when a task or job failed, a row was refused, a file was
unreadable or a critical alert is open.`;

/** Reads the command line. Prints help or a usage error and ends the process where that is due. */
export function parseOptions(args: readonly string[]): DemoOptions {
  const program = new Command("deno task demo")
    .description(
      "Fills a Postgres with one-minute bars, lets it build 5m and 1h bars (and DXY) by itself, then plays a few hours live.\n" +
        "Without options: an embedded Postgres in memory and a generated market.",
    )
    .option("--once", "end after the backfill, without the live part")
    .option("--data <dir>", "bars from the files of a folder (see below) instead of generated ones")
    .addOption(new Option("--db <url>", "use this Postgres (postgres://...), which should be empty").conflicts("keep"))
    .option("--keep <dir>", "keep the embedded Postgres in this folder; a second run goes on from its cursors")
    .addOption(
      new Option("--weeks <n>", `weeks of generated history, 1 to ${maxWeeks} (3)`)
        .argParser(wholeNumber(1, maxWeeks)).conflicts("data"),
    )
    .addOption(
      new Option("--seed <n>", "another generated market (1)").argParser(wholeNumber(0, 2 ** 31 - 1)).conflicts("data"),
    )
    .addOption(
      new Option("--hours <n>", "length of the live part in simulated hours, 1 to 48 (3)")
        .argParser(wholeNumber(1, 48)).conflicts("once"),
    )
    .option("--explain", "also print the SQL behind every number")
    .addOption(
      new Option("--sql <query>", "only run this query on the database of --keep or --db and print its rows")
        .conflicts(["once", "data", "weeks", "seed", "hours", "explain"]),
    )
    .option("--csv", "print the rows of --sql as CSV, as they come, instead of a table")
    .addHelpText("after", `\n${csvFormat}\n\n${exitStatus}`)
    .allowExcessArguments(false)
    .showHelpAfterError("See --help.");
  const reading = readOptions();
  for (const option of reading) program.addOption(option.helpGroup("Options of --data:"));
  program.parse(args, { from: "user" });
  const options = program.opts<DemoOptions>();
  if (options.sql !== undefined && options.keep === undefined && options.db === undefined) {
    program.error(
      "error: option '--sql <query>' needs '--keep <dir>' or '--db <url>': there is no other database to ask",
    );
  }
  const given = reading.find((option) => program.getOptionValue(option.attributeName()) !== undefined);
  if (given !== undefined && options.data === undefined) {
    program.error(`error: option '${given.flags}' needs '--data <dir>'`);
  }
  if (options.csv && options.sql === undefined) program.error("error: option '--csv' needs '--sql <query>'");
  return options;
}
