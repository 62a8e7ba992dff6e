import { createTwoFilesPatch } from "diff";
import type { TestContext } from "./context.ts";
import { readIfExists } from "./files.ts";
import { run } from "./process.ts";
import { oneCheck, type StepResult } from "./result.ts";

const SNAPSHOT = "supabase/schema.sql";
const HEADER =
  "-- The schema that supabase/migrations build up to. Generated: do not edit, run `deno task schema`.\n\n";

/** Compares supabase/schema.sql with what the migrations build. */
export async function checkSnapshot(context: TestContext): Promise<StepResult> {
  const [kept, built] = await Promise.all([readIfExists(SNAPSHOT), dumpSchema(context)]);
  if (kept === undefined) return oneCheck(false, `${SNAPSHOT} is missing: run \`deno task schema\`.`);
  const patch = createTwoFilesPatch(SNAPSHOT, "built from supabase/migrations", kept, built);
  return oneCheck(kept === built, `${SNAPSHOT} is out of date: run \`deno task schema\`.\n${patch}`);
}

/** Writes supabase/schema.sql anew. */
export async function writeSnapshot(context: TestContext): Promise<void> {
  await Deno.writeTextFile(SNAPSHOT, await dumpSchema(context));
}

async function dumpSchema(context: TestContext): Promise<string> {
  const { url } = await context.pushed();
  const { binDir } = await context.cluster();
  const args = ["--schema-only", "--schema=public", "--schema=agg", "--no-owner", `--dbname=${url}`];
  const { code, stdout, report } = await run(`${binDir}/pg_dump`, args);
  if (code !== 0) throw new Error(report);
  return HEADER + tidyDump(stdout);
}

/**
 * Takes out of a pg_dump what differs from machine to machine or repeats the statement below it: session settings,
 * versions, headings with owners, and the random keys around it all. The bodies of functions stay as they are.
 */
export function tidyDump(dump: string): string {
  const firstObject = dump.indexOf("--\n-- Name: ");
  if (firstObject < 0) throw new Error("The dump holds no object.");
  return dump.slice(firstObject)
    .replace(/^--\n-- PostgreSQL database dump complete\n--\n[^]*$/m, "")
    .replace(/^SET default_(?:tablespace|table_access_method) = .*;\n\n/gm, "")
    .replace(/\n*^--\n-- Name: .*; Owner: .*\n--\n\n/gm, "\n\n")
    .trim() + "\n";
}
