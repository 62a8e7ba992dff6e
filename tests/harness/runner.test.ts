import assert from "node:assert/strict";
import { formatCounts, NOTHING, oneCheck } from "../../scripts/lib/result.ts";
import { TestContext } from "../../scripts/test/context.ts";
import { runSteps } from "../../scripts/test/runner.ts";
import { selectSteps, type Step } from "../../scripts/test/steps.ts";

const passing = step("passing", () => oneCheck(true, "not shown"));
const failing = step("failing", () => oneCheck(false, "what went wrong"));
const crashing = step("crashing", () => {
  throw new Error("broken", { cause: new Error("the reason") });
});
const empty = step("empty", () => ({ ...NOTHING, output: "" }));

Deno.test("runSteps() adds up the steps, counts a crash as a failure, and goes on", async () => {
  const { total, printed } = await run([crashing, failing, passing]);
  assert.equal(formatCounts(total), "1 passed, 2 failed");
  assert.match(printed, /FAIL {2}crashing .*\n.*stopped with an error.\n(.*\n)*.*Caused by: Error: the reason/);
  assert.match(printed, /what went wrong/);
  assert.doesNotMatch(printed, /not shown/);
});

Deno.test("runSteps() counts a step in which nothing ran as a failure, unless limited to paths", async () => {
  assert.equal(formatCounts((await run([passing, empty])).total), "1 passed, 1 failed");
  assert.equal(formatCounts((await run([passing, empty], ["tests/db"])).total), "1 passed, 0 failed");
  assert.equal(formatCounts((await run([passing, { ...empty, silent: true }])).total), "1 passed, 0 failed");
});

Deno.test("selectSteps() takes a name for the step called so, or else for the steps it begins, in the order of the list", () => {
  const names = (...only: string[]) => selectSteps(only).map((step) => step.name);
  assert.deepEqual(names("pgtap", "fmt"), ["fmt", "pgtap-embedded", "pgtap-15", "pgtap-17"]);
  assert.deepEqual(names("deno"), ["deno"]);
  assert.deepEqual(names("db-lint"), ["db-lint"]);
  assert.throws(() => names("fmt", "nothing"), /No step nothing\. Steps: packages, deno, fmt,/);
});

function step(name: string, act: () => ReturnType<typeof oneCheck>): Step {
  return { name, about: `a ${name} step`, run: () => Promise.resolve().then(act) };
}

async function run(steps: Step[], paths: string[] = []) {
  const lines: string[] = [];
  const total = await runSteps(steps, new TestContext({ paths, accept: false }), (text) => lines.push(text));
  return { total, printed: lines.join("\n") };
}
