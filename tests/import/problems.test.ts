import assert from "node:assert/strict";
import { Problems } from "../../cli/lib/import/problems.ts";

function describe(reasons: string[]): string[] {
  const problems = new Problems();
  for (const [index, reason] of reasons.entries()) {
    problems.refuseRow({ origin: { file: "A.csv", line: index + 2 }, reason, message: `is ${reason}` });
  }
  return problems.describeRows();
}

Deno.test("Problems lists the first five rows of each reason in a file, and counts the rest by reason", () => {
  const rows = describe(Array.from({ length: 25 }, (_, index) => index < 10 ? "unreadable time" : "negative volume"));
  assert.equal(rows[0], "A.csv: 25 rows refused (15 negative volume, 10 unreadable time)");
  assert.deepEqual(
    rows.slice(1, -1).map((row) => /^ {2}A\.csv:(\d+) {2}is /.exec(row)?.[1]),
    ["2", "3", "4", "5", "6", "12", "13", "14", "15", "16"],
  );
  assert.equal(rows.at(-1), "  and 15 more: 10 negative volume, 5 unreadable time");
});

Deno.test("Problems keeps a file whose every row has the same fault short", () => {
  const rows = describe(Array.from({ length: 45_031 }, () => "time without zone"));
  assert.equal(rows.length, 7);
  assert.equal(rows[0], "A.csv: 45,031 rows refused (45,031 time without zone)");
  assert.equal(rows[6], "  and 45,026 more: 45,026 time without zone");
});
