import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { openCaller } from "../lib/caller.ts";
import { type CheckRow, describeChecks, worstStatus } from "../lib/checks.ts";
import { type ExitCode, Failure } from "../lib/failure.ts";
import {
  addConnectionOptions,
  addJsonOption,
  type ConnectionOptions,
  readTarget,
  type Target,
} from "../lib/options.ts";
import { type OutputOptions, printResult } from "../lib/output.ts";

interface CheckOptions extends ConnectionOptions, OutputOptions {
  watch?: boolean;
  interval: number;
}

const EXIT_CODES = { PASS: 0, WARN: 1, FAIL: 2 } as const;

export function register(program: Command): void {
  addJsonOption(addConnectionOptions(program.command("check")))
    .description("Say whether everything is as it should be: the verdict of agg_check, and what needs attention.")
    .option("--watch", "check again and again, until it is stopped")
    .option("--interval <seconds>", "time between two checks of --watch", parseSeconds, 10)
    .addHelpText(
      "after",
      "\nExit codes, as of a monitoring plugin: 0 every check passes, 1 one warns, 2 one fails or nothing could be checked.",
    )
    .action(check);
}

async function check(options: CheckOptions): Promise<void> {
  const target = readTarget(options);
  if (!options.watch) {
    process.exitCode = await checkOnce(target, options);
    return;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  while (!stop.signal.aborted) {
    process.exitCode = await checkAgain(target, options);
    await setTimeout(options.interval * 1000, undefined, { signal: stop.signal }).catch(() => {});
  }
}

async function checkOnce(target: Target, options: CheckOptions): Promise<ExitCode> {
  const caller = await openCaller(target);
  try {
    const checks = await caller.call<CheckRow>("agg_check");
    if (checks.length === 0) throw new Failure("agg_check() returns no rows.");
    const status = worstStatus(checks);
    const now = options.watch ? { at: new Date().toISOString() } : {};
    const clear = options.watch && process.stdout.isTTY ? "\x1b[2J\x1b[H" : "";
    const heading = options.watch ? `${clear}${now.at}\n` : "";
    printResult(options, { ...now, status, checks }, heading + describeChecks(checks));
    return EXIT_CODES[status];
  } finally {
    await caller.close();
  }
}

/** As {@link checkOnce}, but a failure is printed in place of the rows: the database may come back. */
async function checkAgain(target: Target, options: CheckOptions): Promise<ExitCode> {
  try {
    return await checkOnce(target, options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const at = new Date().toISOString();
    printResult(options, { at, error: error.message }, `${at}\n${error.message}`);
    return 2;
  }
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError("Give a number of seconds.");
}
