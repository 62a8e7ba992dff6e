import assert from "node:assert/strict";
import { formatCounts } from "../../scripts/lib/result.ts";
import { runTestFiles } from "../../scripts/test/deno_tests.ts";

const cases: { behaviour: string; files: string[]; expected: string }[] = [
  {
    behaviour: "counts a test once, its ignored steps as skipped, and ignored tests as skipped",
    files: ["mixed.ts"],
    expected: "2 passed, 2 failed, 2 skipped",
  },
  {
    behaviour: "counts a file that does not load as one failure, beside the others",
    files: ["does_not_load.ts", "passes.ts"],
    expected: "1 passed, 1 failed",
  },
  {
    behaviour: "counts a file without tests as one failure",
    files: ["has_no_tests.ts", "passes.ts"],
    expected: "1 passed, 1 failed",
  },
  { behaviour: "passes what passes", files: ["passes.ts"], expected: "1 passed, 0 failed" },
];

for (const { behaviour, files, expected } of cases) {
  Deno.test(`runTestFiles() ${behaviour}`, async () => {
    const result = await runTestFiles(files.map((file) => `tests/harness/fixtures/${file}`));
    assert.equal(formatCounts(result), expected, result.output);
  });
}
