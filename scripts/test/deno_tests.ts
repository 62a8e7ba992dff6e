import { type Cluster, CLUSTER_URL_VARIABLE, type PostgresVersion, VERSION_VARIABLE } from "../lib/cluster.ts";
import { run, type RunResult } from "../lib/process.ts";
import { addCounts, NOTHING, type StepResult } from "../lib/result.ts";
import type { TestContext } from "./context.ts";
import { findFiles } from "./files.ts";
import { countJunit } from "./junit.ts";

/** Tells property tests how many histories to play. */
const RUNS_VARIABLE = "PGBARS_RUNS";

/** After this time the test files count as hung. Alone on two cores they take a quarter of it. */
const FILES_TIME_LIMIT_MS = 30 * 60_000;

/** Time added for each random history of each file, where their number is given. */
const RUN_TIME_LIMIT_MS = 2000;

/**
 * Folders whose tests run on Postgres 17 as well: what the engine computes and what it survives. They need no pg_cron, and the
 * other folders test little that depends on the server's version.
 */
export const FOLDERS_ON_17 = ["tests/failure", "tests/property"];

/** Random histories of each property test on Postgres 17, where their number is not given. */
const RUNS_ON_17 = 6;

/** Runs every `*.test.ts` below tests/, files in parallel, with the shared cluster's URL in the environment. */
export async function runDenoTests(context: TestContext): Promise<StepResult> {
  const files = await findFiles("tests", ".test.ts", context.options.paths);
  return await runOnCluster(files, context.cluster, 15, context.options.runs);
}

/** Runs the tests that depend on the server's version on Postgres 17, or those below the paths given. */
export async function runDenoTestsOn17(context: TestContext): Promise<StepResult> {
  const { paths, runs } = context.options;
  const files = await findFiles("tests", ".test.ts", paths.length > 0 ? paths : FOLDERS_ON_17);
  return await runOnCluster(files, context.cluster17, 17, runs ?? RUNS_ON_17);
}

async function runOnCluster(
  files: string[],
  cluster: () => Promise<Cluster>,
  version: PostgresVersion,
  runs: number | undefined,
): Promise<StepResult> {
  if (files.length === 0) return { ...NOTHING, output: "" };
  const env = {
    [VERSION_VARIABLE]: String(version),
    [CLUSTER_URL_VARIABLE]: (await cluster()).url(),
    ...(runs !== undefined && { [RUNS_VARIABLE]: String(runs) }),
  };
  return await runTestFiles(files, env, FILES_TIME_LIMIT_MS + (runs ?? 0) * RUN_TIME_LIMIT_MS * files.length);
}

/** Runs the given files. A file in which no test ran counts as one failure. */
export async function runTestFiles(
  files: string[],
  env: Record<string, string> = {},
  timeLimitMs = FILES_TIME_LIMIT_MS,
): Promise<StepResult> {
  const junitPath = await Deno.makeTempFile({ prefix: "pgbars-junit-", suffix: ".xml" });
  try {
    const result = await run(
      Deno.execPath(),
      ["test", "--allow-all", "--no-check", "--parallel", `--junit-path=${junitPath}`, ...files],
      { env: { DENO_JOBS: "3", ...env }, timeLimitMs },
    );
    return summarize(files, result, await Deno.readTextFile(junitPath));
  } finally {
    await Deno.remove(junitPath);
  }
}

function summarize(files: string[], { code, report }: RunResult, xml: string): StepResult {
  const counted = countJunit(xml);
  const silent = files.filter((file) => {
    const counts = counted.get(file);
    return !counts || counts.passed + counts.failed + counts.skipped === 0;
  });
  const total = [...counted.values()].reduce(addCounts, NOTHING);
  const failed = total.failed + silent.length;
  const problems = silent.map((file) => `!! no test ran in ${file}`);
  return {
    ...total,
    failed: code !== 0 && failed === 0 ? 1 : failed,
    output: [report, ...problems].join("\n"),
  };
}
