import process from "node:process";
import type { Command } from "commander";
import type { Bar } from "../lib/import/bar.ts";
import { describeImport, describeProblems, describeReading } from "../lib/import/describe_import.ts";
import { FORMATS } from "../lib/import/formats.ts";
import type { ReadOptions } from "../lib/import/layout.ts";
import { readOptions } from "../lib/import/read_options.ts";
import { RefusedReport } from "../lib/import/refused_report.ts";
import { runImport } from "../lib/import/run_import.ts";
import { openStore } from "../lib/import/store.ts";
import { addConnectionOptions, addJsonOption, type ConnectionOptions, readTarget } from "../lib/options.ts";
import { type OutputOptions, printProgress, printResult } from "../lib/output.ts";

interface ImportOptions extends ConnectionOptions, OutputOptions, ReadOptions {
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
  const command = addJsonOption(
    addConnectionOptions(program.command("import").argument("<file...>", "files of 1m bars")),
  );
  for (const option of readOptions()) command.addOption(option);
  command
    .description("Store the 1m bars of files, whatever vendor they are of.")
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
