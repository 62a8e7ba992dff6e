import assert from "node:assert/strict";
import {
  dateFormat,
  decimalsOf,
  formatDuration,
  formatTime,
  localize,
  secondsOf,
  secondsOfTimeframe,
} from "../../dashboard/format.ts";

Deno.test("formatDuration() has the largest unit, and the next one where that says more", () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [59.9, "59s"],
    [60, "1min"],
    [3599, "59min"],
    [7500, "2h 5min"],
    [43_200, "12h"],
    [90_000, "1d 1h"],
    [864_000, "10d"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatDuration(seconds), text);
});

Deno.test("secondsOf() reads intervals as PostgreSQL prints them", () => {
  const cases: [string, number][] = [
    ["00:06:00", 360],
    ["00:00:00.25", 0.25],
    ["1 day 02:03:04", 93_784],
    ["3 days", 259_200],
    ["100:00:00", 360_000],
  ];
  for (const [text, seconds] of cases) assert.equal(secondsOf(text), seconds);
});

Deno.test("secondsOfTimeframe() knows every unit", () => {
  assert.deepEqual(["1m", "15m", "4h", "1d", "2w"].map(secondsOfTimeframe), [60, 900, 14_400, 86_400, 1_209_600]);
});

Deno.test("decimalsOf() has as many as prices need, and no more than seven digits", () => {
  const cases: [number[], number][] = [
    [[1.08123, 1.0812], 5],
    [[147.21, 147.213], 3],
    [[109_608.6], 2],
    [[97.69131083], 5],
    [[0.00001234], 8],
    [[100, 101], 2],
    [[], 2],
  ];
  for (const [prices, decimals] of cases) assert.equal(decimalsOf(prices), decimals, prices.join());
});

Deno.test("times are those of the zone, with midnight as 00:00", () => {
  const midnight = new Date("2026-11-01T00:00:30Z");
  assert.equal(formatTime(midnight, "UTC"), "2026-11-01 00:00");
  assert.equal(formatTime(midnight, "UTC", true), "2026-11-01 00:00:30");
  assert.equal(dateFormat("UTC", { hour: "2-digit", minute: "2-digit" }).format(midnight), "00:00");
});

Deno.test("localize() shortens the instants in a text of the database, and leaves the rest", () => {
  assert.equal(
    localize("no bar of 2026-11-28 22:00:00+00 or later, built 2026-11-29 00:03:46.701+00: 5 of 5 at 12:00", "UTC"),
    "no bar of 2026-11-28 22:00 or later, built 2026-11-29 00:03: 5 of 5 at 12:00",
  );
});
