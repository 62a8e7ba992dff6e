import assert from "node:assert/strict";
import { readRange } from "../../client/range.ts";

Deno.test("readRange() reads dates and text with a zone alike", () => {
  const range = { from: "2026-01-02T10:00:00.000Z", to: "2026-01-02T11:30:00.500Z" };
  assert.deepEqual(readRange("call", new Date("2026-01-02T10:00Z"), "2026-01-02T12:30:00.500+01:00"), range);
  assert.deepEqual(readRange("call", "2026-01-02T10:00Z", new Date("2026-01-02T11:30:00.500Z")), range);
});

Deno.test("readRange() refuses what is no instant, and says which argument it is", () => {
  const good = "2026-01-02T10:00:00Z";
  const bad: unknown[] = [
    new Date(NaN),
    NaN,
    0,
    null,
    undefined,
    "",
    "now",
    "2026-01-02",
    "2026-01-02T10:00:00",
    "2026-01-02 10:00:00",
    "2026-02-30T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-01-02T25:00:00Z",
    "2026-01-02T10:00:00.0001Z",
  ];
  for (const value of bad) {
    assert.throws(() => readRange("fetchBars", value as Date, good), {
      name: "TypeError",
      message: /^fetchBars: from /,
    });
    assert.throws(() => readRange("fetchBars", good, value as Date), { name: "TypeError", message: /^fetchBars: to / });
  }
});

Deno.test("readRange() refuses a range that is empty or backwards", () => {
  for (const to of ["2026-01-02T10:00:00Z", "2026-01-02T09:59:59.999Z"]) {
    assert.throws(() => readRange("fetchBars", "2026-01-02T10:00:00Z", to), {
      name: "RangeError",
      message: /^fetchBars: from \(2026-01-02T10:00:00\.000Z\) must be before to /,
    });
  }
});
