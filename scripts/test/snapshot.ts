import { createTwoFilesPatch } from "diff";
import type { TestContext } from "./context.ts";
import { readIfExists } from "./files.ts";
import { run } from "./process.ts";
import { mergeResults, oneCheck, type StepResult } from "./result.ts";
import { supabase } from "./supabase.ts";

/** A file that is generated from what the migrations build. */
interface Snapshot {
  path: string;
  build(context: TestContext): Promise<string>;
}

const SNAPSHOTS: readonly Snapshot[] = [
  { path: "supabase/schema.sql", build: dumpSchema },
  { path: "client/database_types.ts", build: generateTypes },
];

const SCHEMA_HEADER =
  "-- The schema that supabase/migrations build up to. Generated: do not edit, run `deno task schema`.\n\n";
const TYPES_HEADER = "// The types of the schema public. Generated: do not edit, run `deno task schema`.\n" +
  "// deno-lint-ignore-file\n\n";

/** Compares each snapshot with what the migrations build; one check a file. */
export async function checkSnapshot(context: TestContext): Promise<StepResult> {
  const results = await Promise.all(SNAPSHOTS.map(async ({ path, build }) => {
    const [kept, built] = await Promise.all([readIfExists(path), build(context)]);
    return compareSnapshot(path, kept, built);
  }));
  return mergeResults(results);
}

/** One check that passes when the file at `path`, whose text is `kept` (undefined without a file), is what was built. */
export function compareSnapshot(path: string, kept: string | undefined, built: string): StepResult {
  if (kept === undefined) return oneCheck(false, `${path} is missing: run \`deno task schema\`.`);
  const patch = createTwoFilesPatch(path, "built from supabase/migrations", kept, built);
  return oneCheck(kept === built, `${path} is out of date: run \`deno task schema\`.\n${patch}`);
}

/** Writes every snapshot anew and returns their paths. */
export async function writeSnapshots(context: TestContext): Promise<string[]> {
  return await Promise.all(SNAPSHOTS.map(async ({ path, build }) => {
    await Deno.writeTextFile(path, await build(context));
    return path;
  }));
}

async function dumpSchema(context: TestContext): Promise<string> {
  const { url } = await context.pushed();
  const { binDir } = await context.cluster();
  const args = ["--schema-only", "--schema=public", "--schema=agg", "--no-owner", `--dbname=${url}`];
  const { code, stdout, report } = await run(`${binDir}/pg_dump`, args);
  if (code !== 0) throw new Error(report);
  return SCHEMA_HEADER + tidyDump(stdout);
}

async function generateTypes(context: TestContext): Promise<string> {
  const { url } = await context.pushed();
  const generated = await supabase(url, ["gen", "types", "typescript", "--schema", "public"]);
  if (generated.code !== 0) throw new Error(generated.report);
  return await format(TYPES_HEADER + generated.stdout);
}

async function format(typescript: string): Promise<string> {
  const { code, stdout, report } = await run(Deno.execPath(), ["fmt", "--ext=ts", "-"], { input: typescript });
  if (code !== 0) throw new Error(report);
  return stdout;
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
