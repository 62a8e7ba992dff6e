import { createTwoFilesPatch } from "diff";
import { basename, dirname } from "node:path";
import type { Cluster } from "../lib/cluster.ts";
import type { TestContext } from "./context.ts";
import { findFiles, readIfExists } from "./files.ts";
import { run } from "./process.ts";
import { mergeResults, oneCheck, type StepResult } from "./result.ts";

/** A step that stays blocked for this long is cancelled, and shows in the output. */
const BLOCKED_LIMIT_SECONDS = "60";

/** Runs every isolation spec, each in a fresh migrated database, and compares what it prints with `expected/`. */
export async function runIsolationSpecs(context: TestContext): Promise<StepResult> {
  const specs = await findFiles("tests/isolation", ".spec", context.options.paths);
  const results: StepResult[] = [];
  for (const spec of specs) results.push(await runSpec(context, spec));
  return mergeResults(results);
}

async function runSpec(context: TestContext, spec: string): Promise<StepResult> {
  const name = basename(spec, ".spec");
  const expectedPath = `${dirname(spec)}/expected/${name}.out`;
  const cluster = await context.cluster();
  const database = `pgbars_isolation_${name}`;
  await context.createMigratedDatabase(database);

  const { code, stdout, report } = await run(
    await findTester(cluster),
    [`host=${cluster.socketDir} port=${cluster.port} user=postgres dbname=${database}`],
    { input: await Deno.readTextFile(spec), env: { PGISOLATIONTIMEOUT: BLOCKED_LIMIT_SECONDS } },
  );
  if (code !== 0) return oneCheck(false, `${spec}\n${report}`);
  if (context.options.accept) await writeExpected(expectedPath, stdout);
  return compareOutput(spec, expectedPath, stdout);
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
