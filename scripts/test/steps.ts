import type { Cluster } from "../lib/cluster.ts";
import { NOTHING, type StepResult } from "../lib/result.ts";
import { proveSchema } from "../schema/proof.ts";
import type { TestContext } from "./context.ts";
import { FOLDERS_ON_17, runDenoTests, runDenoTestsOn17 } from "./deno_tests.ts";
import { checkGenerated } from "./generated.ts";
import { checkImports } from "./imports.ts";
import { runIsolationSpecs } from "./isolation.ts";
import { lintDatabase, runAdvisors } from "./linters.ts";
import { runPgtapEmbedded, runPgtapServer } from "./pgtap.ts";
import { pushTwice } from "./push.ts";
import { checkFormat, checkTypes, lint } from "./static.ts";

export interface Step {
  name: string;
  /** What the step does, for the list of steps. */
  about: string;
  run(context: TestContext): Promise<StepResult>;
  /** True for a step that counts nothing when it succeeds. */
  silent?: boolean;
}

export const STEPS: readonly Step[] = [
  { name: "packages", about: "install what is missing from Debian", run: installPackages, silent: true },
  // The longest, beside all that follow.
  { name: "deno", about: "every *.test.ts below tests, on Postgres 15", run: runDenoTests },
  { name: "fmt", about: "deno fmt --check", run: checkFormat },
  { name: "lint", about: "deno lint", run: lint },
  { name: "check", about: "deno check", run: checkTypes },
  { name: "imports", about: "no script imports a test, and no circle of files or folders", run: checkImports },
  { name: "push", about: "supabase db push into an empty database, and again as a no-op", run: pushTwice },
  { name: "db-lint", about: "supabase db lint without a warning", run: onPushed(lintDatabase) },
  { name: "advisors", about: "supabase db advisors without a finding", run: onPushed(runAdvisors) },
  { name: "schema", about: "migrations, an upgrade and supabase/schemas make one schema", run: onCluster(proveSchema) },
  {
    name: "generated",
    about: "the client's types and README's functions are what the migrations build",
    run: checkGenerated,
  },
  { name: "pgtap-embedded", about: "tests/db on the embedded Postgres", run: runPgtapEmbedded },
  { name: "pgtap-15", about: "tests/db on Postgres 15", run: (context) => runPgtapServer(context, 15) },
  { name: "pgtap-17", about: "tests/db on Postgres 17", run: (context) => runPgtapServer(context, 17) },
  { name: "isolation", about: "tests/isolation on Postgres 15 with isolationtester", run: runIsolationSpecs },
  {
    name: "deno-17",
    about: `*.test.ts below ${FOLDERS_ON_17.join(", ")}, or below the paths given, on Postgres 17`,
    run: runDenoTestsOn17,
  },
];

/**
 * The steps that `names` ask for, in the order of the list; all when there are none. A name is that of a step, or else the
 * beginning of the names of several, up to a hyphen (`pgtap`). Throws when a name stands for no step.
 */
export function selectSteps(names: string[]): readonly Step[] {
  if (names.length === 0) return STEPS;
  const isExact = (name: string) => STEPS.some((step) => step.name === name);
  const matches = (step: Step, name: string) => isExact(name) ? step.name === name : step.name.startsWith(`${name}-`);
  const unknown = names.filter((name) => !STEPS.some((step) => matches(step, name)));
  if (unknown.length > 0) {
    throw new Error(`No step ${unknown.join(", ")}. Steps: ${STEPS.map((step) => step.name).join(", ")}.`);
  }
  return STEPS.filter((step) => names.some((name) => matches(step, name)));
}

function onPushed(check: (url: string) => Promise<StepResult>): Step["run"] {
  return async (context) => await check((await context.pushed()).url);
}

function onCluster(check: (cluster: Cluster) => Promise<StepResult>): Step["run"] {
  return async (context) => await check(await context.cluster());
}

async function installPackages(context: TestContext): Promise<StepResult> {
  await context.packages();
  return { ...NOTHING, output: "" };
}
