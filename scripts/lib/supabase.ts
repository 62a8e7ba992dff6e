import { run, type RunResult } from "./process.ts";

/** Pinned here and run through npx: as a dependency, its many platform packages would slow down every install. */
const CLI = "supabase@3.1.0";

/**
 * Runs one command of the Supabase CLI on the database at `url`, with structured output on `stdout`. It asks nothing
 * and neither reports usage nor looks for updates.
 */
export function supabase(url: string, args: string[]): Promise<RunResult> {
  return runSupabase([...args, `--remote=${url}`, "--output-format", "json"]);
}

/** Runs one command of the Supabase CLI as {@link supabase} does, without naming a database. */
export function runSupabase(args: string[]): Promise<RunResult> {
  return run("npx", ["--yes", "--prefer-offline", CLI, ...args, "--yes", "--agent", "no"], {
    env: { DO_NOT_TRACK: "1", SUPABASE_TELEMETRY_DISABLED: "1", SUPABASE_NO_UPDATE_NOTIFIER: "1" },
  });
}
