import { rename, rm, writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { parse } from "csv-parse/sync";
import { openParquetWriter } from "../lib/export/parquet_writer.ts";
import { readRows } from "../lib/export/read_rows.ts";
import { openTextWriter } from "../lib/export/writers.ts";
import { describeError } from "../lib/error.ts";
import { Failure } from "../lib/failure.ts";
import { addConnectionOptions, addJsonOption, type ConnectionOptions, parseTime, readTarget } from "../lib/options.ts";
import { type OutputOptions, printProgress, printResult } from "../lib/output.ts";

interface ExportOptions extends ConnectionOptions, OutputOptions {
  symbols: string[];
  timeframe: string;
  from?: string;
  to?: string;
  format: "csv" | "jsonl" | "parquet";
  output?: string;
}

const NOTES = `
Every file has the same columns with the same types, also without rows: canonical_symbol, timeframe, ts_utc, open, high,
low, close, vol, vwap, trade_count, is_partial, quality_score. Times are in UTC.`;

export function register(program: Command): void {
  addJsonOption(addConnectionOptions(program.command("export")))
    .description("Write bars into a file.")
    .requiredOption("--symbols <list>", 'symbols, separated by commas; "A,B" in quotes is one', readSymbols)
    .requiredOption("--timeframe <timeframe>", "1m, 5m, 1h ...", readTimeframe)
    .option("--from <time>", "the first window that starts here or later, such as 2026-01-02T10:00:00Z", parseTime)
    .option("--to <time>", "leave windows out that start here or later", parseTime)
    .addOption(
      new Option("--format <format>", "the format of the file").choices(["csv", "jsonl", "parquet"]).default("csv"),
    )
    .option("--output <file>", "the file; csv and jsonl go to standard output without it")
    .addHelpText("after", NOTES)
    .action(exportBars);
}

async function exportBars(options: ExportOptions): Promise<void> {
  const { symbols, timeframe, from, to, format, output } = options;
  const target = readTarget(options);
  if (format === "parquet" && output === undefined) throw new Failure("--format parquet needs --output.");
  if (options.json && output === undefined) throw new Failure("--json needs --output: standard output has the bars.");
  if (from !== undefined && to !== undefined && from >= to) throw new Failure("--to must be later than --from.");
  // A file that is there is replaced when the new one is whole.
  const part = output === undefined ? undefined : `${output}.pgbars-part`;
  if (part !== undefined) {
    await writeFile(part, "").catch((error) => {
      throw new Failure(`Cannot write ${output}: ${describeError(error)}`);
    });
  }
  const writer = format === "parquet" ? openParquetWriter(part!) : openTextWriter(format, part);
  const empty = new Set(symbols);
  let rows = 0;
  try {
    for await (const bars of readRows(target, { symbols, timeframe, from, to })) {
      await writer.write(bars);
      rows += bars.length;
      for (const { canonical_symbol } of bars) empty.delete(canonical_symbol);
    }
    await writer.end();
  } catch (error) {
    // The reader of standard output has gone, such as `head`.
    if (part === undefined && (error as NodeJS.ErrnoException).code === "EPIPE") return;
    if (part !== undefined) await rm(part, { force: true });
    throw error;
  }
  const text = `${rows.toLocaleString("en-US")} bars of ${timeframe} written.` +
    (empty.size > 0 ? ` ${[...empty].join(", ")}: no bars.` : "");
  if (part === undefined) {
    printProgress(text);
    return;
  }
  await rename(part, output!);
  printResult(options, { file: output, format, rows, empty: [...empty] }, text);
}

function readSymbols(text: string): string[] {
  const [fields = []] = parse(text, { trim: true, relax_quotes: true }) as string[][];
  const symbols = fields.filter((symbol) => symbol !== "");
  if (symbols.length === 0) throw new InvalidArgumentError("Give symbols.");
  return [...new Set(symbols)];
}

function readTimeframe(text: string): string {
  if (/^[1-9]\d{0,3}[mhdw]$/.test(text)) return text;
  throw new InvalidArgumentError("Give a timeframe such as 1m, 5m, 1h.");
}
