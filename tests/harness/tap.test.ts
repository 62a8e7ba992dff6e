import assert from "node:assert/strict";
import { formatCounts } from "../../scripts/lib/result.ts";
import { countTap } from "../../scripts/test/tap.ts";

const cases: { behaviour: string; tap: string; error?: string; expected: string }[] = [
  { behaviour: "counts what passes", tap: "1..2\nok 1 - a\nok 2 - b", expected: "2 passed, 0 failed" },
  { behaviour: "counts an assertion that fails", tap: "1..2\nok 1\nnot ok 2 - b", expected: "1 passed, 1 failed" },
  { behaviour: "fails a file that ran fewer than planned", tap: "1..3\nok 1", expected: "1 passed, 1 failed" },
  { behaviour: "fails a file that ran more than planned", tap: "1..1\nok 1\nok 2", expected: "2 passed, 1 failed" },
  { behaviour: "fails a file without a plan", tap: "ok 1", expected: "1 passed, 1 failed" },
  { behaviour: "fails a file that bailed out", tap: "1..3\nok 1\nBail out! gone", expected: "1 passed, 1 failed" },
  { behaviour: "fails a file that printed nothing", tap: "", expected: "0 passed, 1 failed" },
  { behaviour: "fails a file that ran nothing it planned", tap: "1..2", expected: "0 passed, 1 failed" },
  {
    behaviour: "fails a file whose program failed, though all its assertions passed",
    tap: "1..1\nok 1",
    error: "connection lost",
    expected: "1 passed, 1 failed",
  },
  {
    behaviour: "adds one failure for the file to those of its assertions",
    tap: "1..3\nnot ok 1",
    expected: "0 passed, 2 failed",
  },
  {
    behaviour: "counts skip and todo as skipped, however they went",
    tap: "1..4\nok 1 # SKIP why\nnot ok 2 - b # TODO later\nok 3 - c # TODO later\nok 4",
    expected: "1 passed, 0 failed, 3 skipped",
  },
  {
    behaviour: "counts a file that skips itself as skipped",
    tap: "1..0 # SKIP",
    expected: "0 passed, 0 failed, 1 skipped",
  },
  {
    behaviour: "takes the plan at the end too, and passes over what is not TAP",
    tap: "noise\nok 1\nmore | noise\n1..1",
    expected: "1 passed, 0 failed",
  },
];

for (const { behaviour, tap, error, expected } of cases) {
  Deno.test(`countTap() ${behaviour}`, () => {
    const result = countTap("some.test.sql", tap, error);
    assert.equal(formatCounts(result), expected, result.output);
  });
}

Deno.test("countTap() shows the file, its TAP and what went wrong", () => {
  const { output } = countTap("some.test.sql", "1..2\nok 1 - a", "ERROR 22012: division by zero");
  assert.equal(
    output,
    "some.test.sql\n1..2\nok 1 - a\n!! planned 2 assertions but ran 1\n!! ERROR 22012: division by zero",
  );
});
