import process from "node:process";
import { Command, CommanderError } from "commander";
import { codeOf } from "./database.ts";
import { describeError } from "./error.ts";
import { type ExitCode, Failure, Refusal } from "./failure.ts";
import { VERSION } from "./version.ts";

/** A module of the folder `commands`. */
export interface CommandModule {
  /** Adds its command to the program. What the command ends with, where it is not 0, it leaves in `process.exitCode`. */
  register(program: Command): void;
}

/** Runs one command. Prints what went wrong on standard error, and on standard output with --json. Returns the exit code. */
export async function runProgram(commands: readonly CommandModule[], args: string[]): Promise<ExitCode> {
  const program = new Command("pgbars")
    .description("Market bars kept by the database itself: install, move, check.")
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError("See --help.")
    .addHelpText("after", "\nExit codes: 0 fine, 1 something is wrong or was refused, 2 it could not work.");
  for (const { register } of commands) register(program);
  try {
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0) as ExitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = describeError(error);
    if (args.includes("--json")) process.stdout.write(`${JSON.stringify({ error: message })}\n`);
    process.stderr.write(`pgbars: ${message}\n`);
    if (!(error instanceof Refusal || error instanceof Failure) && codeOf(error) === undefined) {
      process.stderr.write(`${(error as Error).stack}\n`);
    }
    return error instanceof Refusal ? 1 : 2;
  }
}
