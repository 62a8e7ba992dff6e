import assert from "node:assert/strict";
import { formatCounts } from "../../scripts/lib/result.ts";
import { runTestFiles } from "../../scripts/test/deno_tests.ts";

Deno.test("runTestFiles() counts tests once, ignored ones as skipped, and a file in which no test ran as a failure", async () => {
  const names = ["mixed", "does_not_load", "has_no_tests", "passes"];
  const result = await runTestFiles(names.map((name) => `tests/harness/fixtures/${name}.ts`));
  assert.equal(formatCounts(result), "3 passed, 4 failed, 2 skipped", result.output);
  assert.match(result.output, /!! no test ran in tests\/harness\/fixtures\/does_not_load\.ts/);
  assert.match(result.output, /!! no test ran in tests\/harness\/fixtures\/has_no_tests\.ts/);
});

Deno.test("runTestFiles() passes what passes", async () => {
  const result = await runTestFiles(["tests/harness/fixtures/passes.ts"]);
  assert.equal(formatCounts(result), "1 passed, 0 failed", result.output);
});
