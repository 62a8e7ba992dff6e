import process from "node:process";
import { type Command, InvalidArgumentError } from "commander";
import { Failure } from "./failure.ts";

export interface DatabaseOptions {
  db?: string;
}

export interface ConnectionOptions extends DatabaseOptions {
  url?: string;
  key?: string;
}

/** Where to reach a database: itself, or its Data API. */
export type Target = { db: string } | { url: string; key: string };

export function addJsonOption(command: Command): Command {
  return command.option("--json", "print the result as JSON");
}

export function addDatabaseOption(command: Command): Command {
  return command.option("--db <url>", "the database, as postgres://... (environment: PGBARS_DB, DATABASE_URL)");
}

export function addConnectionOptions(command: Command): Command {
  return addDatabaseOption(command)
    .option("--url <url>", "the project's URL, to ask its Data API in place of --db (environment: SUPABASE_URL)")
    .option("--key <key>", "a secret key for --url (environment: SUPABASE_SERVICE_ROLE_KEY, SUPABASE_SECRET_KEY)");
}

/** The database that the options or the environment name. */
export function readDatabaseUrl({ db }: DatabaseOptions): string {
  const url = db ?? readEnvironment("PGBARS_DB", "DATABASE_URL");
  if (url === undefined) throw new Failure("No database is given. --db or the variable PGBARS_DB names it.");
  return url;
}

/** What the options name, or else the environment. The database comes before its Data API. */
export function readTarget(options: ConnectionOptions): Target {
  if (options.db !== undefined && options.url !== undefined) throw new Failure("Give --db or --url, not both.");
  const db = options.db ?? (options.url === undefined ? readEnvironment("PGBARS_DB", "DATABASE_URL") : undefined);
  if (db !== undefined) return { db };
  const url = options.url ?? readEnvironment("SUPABASE_URL");
  if (url === undefined) {
    throw new Failure(
      "No database is given. --db, or --url and --key, or the variables PGBARS_DB or SUPABASE_URL name it.",
    );
  }
  const key = options.key ?? readEnvironment("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY");
  if (key === undefined) {
    throw new Failure("No key is given. --key or the variable SUPABASE_SERVICE_ROLE_KEY gives it.");
  }
  return { url, key };
}

/** An instant with its zone, or a day, which is its midnight in UTC, as ISO 8601 text in UTC. */
export function parseTime(text: string): string {
  const [, day] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/i.exec(text) ?? [];
  const [midnight, time] = [new Date(day ?? ""), new Date(text)];
  // Date takes 30 February for a day of March.
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day!);
  if (isDay && !Number.isNaN(time.getTime())) return time.toISOString();
  throw new InvalidArgumentError("Give a time with its zone, such as 2026-01-05T10:00:00Z, or a day in UTC.");
}

function readEnvironment(...names: string[]): string | undefined {
  return names.map((name) => process.env[name]).find((value) => value !== undefined && value !== "");
}
