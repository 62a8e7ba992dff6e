import process from "node:process";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Bar } from "../lib/import/bar.ts";
import { type ColumnMap, readColumnMap } from "../lib/import/columns.ts";
import { describeImport, describeProblems, describeReading } from "../lib/import/describe_import.ts";
import { type Format, FORMATS } from "../lib/import/formats.ts";
import { RefusedReport } from "../lib/import/refused_report.ts";
import { runImport } from "../lib/import/run_import.ts";
import { openStore } from "../lib/import/store.ts";
import type { DateOrder } from "../lib/import/time.ts";
import { readZone, type Zone } from "../lib/import/zone.ts";
import { addConnectionOptions, addJsonOption, type ConnectionOptions, readTarget } from "../lib/options.ts";
import { type OutputOptions, printProgress, printResult } from "../lib/output.ts";

interface ImportOptions extends ConnectionOptions, OutputOptions {
  format?: Format;
  symbol?: string;
  zone?: Zone;
  shift?: number;
  map?: ColumnMap;
  dateOrder?: DateOrder;
  clamp?: boolean;
  dryRun?: boolean;
  refused: string;
}

const NOTES = `
Formats: ${FORMATS.map(({ name }) => name).join(", ")}.
A file is recognised by its name and its columns, or named by --format. Files may be packed by gzip or zip. Nothing is
guessed: where a file does not say its zone, or which minute a time stands for, the program says which option to give.

Exit codes: 0 every row was taken, 1 a row or a file was refused, 2 it could not work. Run it again after any failure:
what is stored already changes nothing.`;

export function register(program: Command): void {
  addJsonOption(addConnectionOptions(program.command("import").argument("<file...>", "files of 1m bars")))
    .description("Store the 1m bars of files, whatever vendor they are of.")
    .option("--format <name>", "the format of the files, where it is not recognised", parse(readFormat))
    .option("--symbol <symbol>", "the symbol of all bars, in place of what the files or their names say")
    .option("--zone <zone>", "the clock of times without a zone: UTC, an IANA name, -05:00, NewYork+7", parse(readZone))
    .option(
      "--shift <minutes>",
      "add this to every time: -1m where a time is the end of its minute, 0",
      parse(readShift),
    )
    .option("--map <columns>", "what columns hold, as COLUMN=FIELD,...; none leaves one out", parse(readColumnMap))
    .addOption(new Option("--date-order <order>", "how to read dates with slashes").choices(["dmy", "mdy"]))
    .option("--clamp", "widen high and low to cover open and close, where they miss by rounding")
    .option("--dry-run", "only show what was understood")
    .option("--refused <file>", "where to write the rows that are refused", "pgbars-refused.csv")
    .addHelpText("after", NOTES)
    .action(importFiles);
}

async function importFiles(files: string[], options: ImportOptions): Promise<void> {
  if (options.dryRun) {
    const sample: Bar[] = [];
    const { result, problems } = await runImport(files, options, undefined, { sample });
    const lines = [...describeReading(result, sample), ...describeProblems(result, problems), "Nothing was stored."];
    printResult(options, { ...result, sample }, lines.join("\n"));
    process.exitCode = problems.any ? 1 : 0;
    return;
  }
  const store = await openStore(readTarget(options));
  try {
    const report = new RefusedReport(options.refused);
    const { result, problems } = await runImport(files, options, store, { report });
    for (const line of describeProblems(result, problems)) printProgress(line);
    if (report.isWritten) printProgress(`The refused rows are in ${report.path}.`);
    printResult(options, result, describeImport(result).join("\n"));
    process.exitCode = problems.any ? 1 : 0;
  } finally {
    await store.close();
  }
}

/** A parser of commander out of a function that throws an Error. */
function parse<Value>(read: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

function readFormat(name: string): Format {
  const format = FORMATS.find((one) => one.name === name);
  if (format === undefined) throw new Error(`It must be one of ${FORMATS.map(({ name }) => name).join(", ")}.`);
  return format;
}

function readShift(text: string): number {
  const [, minutes] = /^([+-]?\d{1,4})m?$/.exec(text) ?? [];
  if (minutes === undefined) throw new Error("Give minutes, such as -1m or 0.");
  return Number(minutes) * 60_000;
}
