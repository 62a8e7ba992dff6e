import assert from "node:assert/strict";
import type { StepResult } from "../../scripts/lib/result.ts";
import { compareGenerated } from "../../scripts/test/generated.ts";

Deno.test("compareGenerated() passes a file that is what was built", () => {
  assert.deepEqual(counts(compareGenerated("client/types.ts", "type A = 1;\n", "type A = 1;\n")), [1, 0]);
});

Deno.test("compareGenerated() refuses a file that differs, shows how, and names the command that fixes it", () => {
  const drifted = compareGenerated("client/types.ts", "type A = 1;\n", "type A = 2;\n");
  assert.deepEqual(counts(drifted), [0, 1]);
  assert.match(drifted.output, /client\/types\.ts is out of date: run `deno task generate`/);
  assert.match(drifted.output, /^-type A = 1;\n\+type A = 2;$/m);
});

Deno.test("compareGenerated() refuses a file that is missing, even where nothing was built", () => {
  const missing = compareGenerated("client/types.ts", undefined, "");
  assert.deepEqual(counts(missing), [0, 1]);
  assert.match(missing.output, /client\/types\.ts is missing: run `deno task generate`/);
});

function counts({ passed, failed }: StepResult): number[] {
  return [passed, failed];
}
