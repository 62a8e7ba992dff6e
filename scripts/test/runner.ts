import { addCounts, type Counts, formatCounts, NOTHING, type StepResult } from "../lib/result.ts";
import type { TestContext } from "./context.ts";
import type { Step } from "./steps.ts";

/** Steps that run at the same time. */
const LANES = 2;

/** How often a long step prints that it is still running. */
const HEARTBEAT_MS = 30_000;

/**
 * Runs the steps, starting them in order. Prints a line for each as it ends, with the output of those that failed. A step
 * that throws counts as one failure and does not stop the others. So does a step in which nothing ran, unless the run is
 * limited to paths. Returns the sum.
 */
export async function runSteps(
  steps: readonly Step[],
  context: TestContext,
  print: (text: string) => void,
): Promise<Counts> {
  const width = Math.max(...steps.map((step) => step.name.length));
  const waiting = [...steps];
  const reported = new Set<unknown>();
  let total: Counts = NOTHING;
  const work = async () => {
    for (let step = waiting.shift(); step; step = waiting.shift()) {
      const name = step.name.padEnd(width);
      const started = performance.now();
      const secondsSoFar = () => (performance.now() - started) / 1000;
      const heartbeat = setInterval(
        () => print(`...   ${name}  running for ${secondsSoFar().toFixed(0)} s`),
        HEARTBEAT_MS,
      );
      const result = await runStep(step, context, reported);
      clearInterval(heartbeat);
      const seconds = secondsSoFar().toFixed(1);
      total = addCounts(total, result);
      print(`${result.failed > 0 ? "FAIL" : "ok  "}  ${name}  ${describe(result)} (${seconds} s)`);
      if (result.failed > 0) print(indent(result.output));
    }
  };
  await Promise.all(Array.from({ length: LANES }, work));
  return total;
}

async function runStep(step: Step, context: TestContext, reported: Set<unknown>): Promise<StepResult> {
  try {
    const result = await step.run(context);
    const nothingRan = result.passed + result.failed + result.skipped === 0;
    if (!nothingRan || step.silent || context.options.paths.length > 0) return result;
    return { ...NOTHING, failed: 1, output: `Nothing ran: found no tests for ${step.about}.` };
  } catch (error) {
    const repeated = reported.has(error);
    reported.add(error);
    const reason = repeated ? "For the same reason as a step above." : describeError(error);
    return { ...NOTHING, failed: 1, output: `The step stopped with an error.\n${reason}` };
  }
}

function describe(result: StepResult): string {
  return result.passed + result.failed + result.skipped === 0 ? "done" : formatCounts(result);
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? error.message;
  return error.cause === undefined ? text : `${text}\nCaused by: ${describeError(error.cause)}`;
}

function indent(text: string): string {
  return text.trimEnd().split("\n").map((line) => `      ${line}`.trimEnd()).join("\n");
}
