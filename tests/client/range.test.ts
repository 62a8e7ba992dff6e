import assert from "node:assert/strict";
import { type Instant, readRange } from "../../client/range.ts";

const GOOD = "2026-01-02T10:00:00Z";

Deno.test("readRange() reads dates and text with a zone alike", () => {
  const range = { from: "2026-01-02T10:00:00.000000Z", to: "2026-01-02T11:30:00.500000Z" };
  assert.deepEqual(readRange("call", new Date("2026-01-02T10:00Z"), "2026-01-02T12:30:00.500+01:00"), range);
  assert.deepEqual(readRange("call", "2026-01-02T10:00Z", new Date("2026-01-02T11:30:00.500Z")), range);
});

Deno.test("readRange() reads what the database and the Data API write, to the microsecond", () => {
  const readings: Record<string, string> = {
    "2026-01-02T08:58:46.214123+00:00": "2026-01-02T08:58:46.214123Z",
    "2026-01-02 08:58:46.214123+00": "2026-01-02T08:58:46.214123Z",
    "2026-01-02 08:58:46.2-0130": "2026-01-02T10:28:46.200000Z",
    "2026-01-02 08:58+05:30": "2026-01-02T03:28:00.000000Z",
  };
  for (const [text, reading] of Object.entries(readings)) {
    assert.deepEqual(readRange("call", text, "2026-01-03T00:00Z"), {
      from: reading,
      to: "2026-01-03T00:00:00.000000Z",
    });
  }
});

Deno.test("readRange() tells instants a microsecond apart", () => {
  const [from, to] = ["2026-01-02T10:00:00.000001Z", "2026-01-02T10:00:00.000002Z"];
  assert.deepEqual(readRange("call", from, to), { from, to });
  assert.throws(() => readRange("call", to, from), RangeError);
});

Deno.test("readRange() refuses what is not an instant, and says which argument it is", () => {
  const bad: unknown[] = [
    new Date(NaN),
    NaN,
    0,
    1n,
    null,
    undefined,
    {},
    "",
    "now",
    "2026-01-02",
    "2026-01-02T10:00:00",
    "2026-01-02 10:00:00",
    "2026-02-30T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-01-02T25:00:00Z",
    "2026-01-02T10:00:60Z",
    "2026-01-02T10:00:00.0000001Z",
    "2026-01-02T10:00:00Zjunk",
    "2026-01-02T10:00:00+25:00",
  ];
  for (const value of bad) {
    const name = "TypeError";
    assert.throws(() => readRange("fetchBars", value as Instant, GOOD), { name, message: /^fetchBars: from / });
    assert.throws(() => readRange("fetchBars", GOOD, value as Instant), { name, message: /^fetchBars: to / });
  }
});

Deno.test("readRange() refuses years that are not written with four digits, or that Postgres does not have", () => {
  for (
    const value of ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01", new Date(-8.64e15), new Date("-000001-01-01")]
  ) {
    assert.throws(() => readRange("call", value, GOOD), { name: "RangeError", message: /^call: from .* years 1 to/ });
  }
  for (const value of ["9999-12-31T23:00:00-01", new Date(8.64e15)]) {
    assert.throws(() => readRange("call", GOOD, value), { name: "RangeError", message: /^call: to .* years 1 to/ });
  }
  const all = { from: "0001-01-01T00:00:00.000000Z", to: "9999-12-31T23:59:59.999999Z" };
  assert.deepEqual(readRange("call", all.from, all.to), all);
});

Deno.test("readRange() refuses a range that is empty or backwards", () => {
  for (const to of [GOOD, "2026-01-02T09:59:59.999Z"]) {
    assert.throws(() => readRange("fetchBars", GOOD, to), {
      name: "RangeError",
      message: /^fetchBars: from \(2026-01-02T10:00:00\.000000Z\) must be before to /,
    });
  }
});
