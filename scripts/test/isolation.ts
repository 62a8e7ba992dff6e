import { createTwoFilesPatch } from "diff";
import { basename, dirname } from "node:path";
import type { Cluster } from "../lib/cluster.ts";
import { run, type RunResult } from "../lib/process.ts";
import { mergeResults, oneCheck, type StepResult } from "../lib/result.ts";
import { type TestContext, withServer } from "./context.ts";
import { findFiles, readIfExists } from "./files.ts";

/** A step that stays blocked for this long is cancelled, which the output shows. */
const BLOCKED_LIMIT_SECONDS = "60";

/** What a spec prints for a bar that is wrong and that no note or correction will fix. */
const LOSS = /^LOST /m;

/**
 * Runs every isolation spec, each in a new migrated database, and compares what it prints with `expected/`. Then runs it
 * again for each file of `without_remedy/<spec>/`, which removes a remedy. This time the spec has to lose a bar.
 */
export async function runIsolationSpecs(context: TestContext): Promise<StepResult> {
  const specs = await findFiles("tests/isolation", ".spec", context.options.paths);
  const results: StepResult[] = [];
  for (const spec of specs) results.push(await runSpec(context, spec));
  for (const removal of await findFiles("tests/isolation/without_remedy", ".sql")) {
    const spec = `tests/isolation/${basename(dirname(removal))}.spec`;
    if (specs.includes(spec)) results.push(await runWithoutRemedy(context, spec, removal));
    else if (context.options.paths.length === 0) results.push(oneCheck(false, `${removal} belongs to no spec`));
  }
  return mergeResults(results);
}

async function runSpec(context: TestContext, spec: string): Promise<StepResult> {
  const name = nameOf(spec);
  const expectedPath = `${dirname(spec)}/expected/${name}.out`;
  const database = `pgbars_isolation_${name}`;
  await context.createMigratedDatabase(database);

  const { code, stdout, report } = await play(await context.cluster(), spec, database);
  if (code !== 0) return oneCheck(false, `${spec}\n${report}`);
  if (LOSS.test(stdout)) return oneCheck(false, `${spec} loses a bar:\n${stdout}`);
  if (context.options.accept) await writeExpected(expectedPath, stdout);
  return compareOutput(spec, expectedPath, stdout);
}

async function runWithoutRemedy(context: TestContext, spec: string, removal: string): Promise<StepResult> {
  const database = `pgbars_isolation_${nameOf(spec)}_without_${basename(removal, ".sql")}`;
  const url = await context.createMigratedDatabase(database);
  try {
    const takeAway = await Deno.readTextFile(new URL("take_away.sql", import.meta.url));
    const sql = await Deno.readTextFile(removal);
    await withServer(url, (db) => db.exec(takeAway + sql));
  } catch (error) {
    return oneCheck(false, `${removal} does not apply to today's functions: ${error}`);
  }
  const { stdout, report } = await play(await context.cluster(), spec, database);
  return oneCheck(
    LOSS.test(stdout),
    `${spec} loses no bar with ${removal}, so it does not test that remedy\n${report}`,
  );
}

async function play(cluster: Cluster, spec: string, database: string): Promise<RunResult> {
  return await run(
    await findTester(cluster),
    [`host=${cluster.socketDir} port=${cluster.port} user=postgres dbname=${database}`],
    { input: await Deno.readTextFile(spec), env: { PGISOLATIONTIMEOUT: BLOCKED_LIMIT_SECONDS } },
  );
}

function nameOf(spec: string): string {
  return basename(spec, ".spec");
}

async function compareOutput(spec: string, expectedPath: string, printed: string): Promise<StepResult> {
  const expected = await readIfExists(expectedPath);
  if (expected === undefined) {
    return oneCheck(false, `${spec}\n${expectedPath} is missing; --accept writes it from this output:\n${printed}`);
  }
  const patch = createTwoFilesPatch(expectedPath, "printed now", expected, printed);
  return oneCheck(printed === expected, `${spec}\n${patch}`);
}

async function writeExpected(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

async function findTester(cluster: Cluster): Promise<string> {
  const { stdout } = await run(`${cluster.binDir}/pg_config`, ["--pgxs"]);
  return stdout.trim().replace(/makefiles\/pgxs\.mk$/, "test/isolation/isolationtester");
}
