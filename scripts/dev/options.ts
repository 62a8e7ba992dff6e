import { Command, InvalidArgumentError, Option } from "commander";

/** The command line of `deno task dev`. Options that were not given are absent. */
export interface DevOptions {
  db?: string;
  keep?: string;
  sql?: string;
  demo?: true;
  functions?: string;
  port: number;
  sqlPort?: number;
}

/** The same port as the Supabase CLI's. */
const DEFAULT_PORT = 54321;

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("Give a whole number from 0 to 65535.");
}

function parseDatabaseUrl(text: string): string {
  if (/^postgres(ql)?:\/\/./.test(text)) return text;
  throw new InvalidArgumentError("Give a URL like postgresql://user:password@host:5432/database.");
}

function parsePath(text: string): string {
  if (text !== "") return text;
  throw new InvalidArgumentError("Give a path.");
}

/** Reads the command line. For `--help` and for a usage error it prints and ends the process. */
export function parseOptions(args: readonly string[]): DevOptions {
  const program = new Command("deno task dev")
    .description(
      "Runs the whole project on this machine: a Postgres with the migrations, the Data API, sign-in, the Edge " +
        "Functions and the jobs. By default the Postgres is embedded and in memory. Ctrl-C ends everything.",
    )
    .addOption(
      new Option("--db <url>", "use this Postgres (postgresql://...) and apply the migrations that it lacks")
        .argParser(parseDatabaseUrl)
        .conflicts("keep"),
    )
    .option("--keep <dir>", "keep the embedded Postgres in this folder", parsePath)
    .option("--sql <file>", "run this file as the database's owner, after the migrations", parsePath)
    .option("--demo", "load a week of made-up bars, build the longer bars, and feed a bar a minute from then on")
    .option("--port <n>", "port on 127.0.0.1; 0 takes any free one", parsePort, DEFAULT_PORT)
    .addOption(
      new Option("--sql-port <n>", "port on 127.0.0.1 for psql and other SQL tools; by default the one after --port")
        .argParser(parsePort)
        .conflicts("db"),
    )
    .option("--functions <dir>", "serve the Edge Functions of this folder instead of functions/", parsePath)
    .allowExcessArguments(false)
    .showHelpAfterError("See --help.");
  program.parse(args, { from: "user" });
  return program.opts<DevOptions>();
}
