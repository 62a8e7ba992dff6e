import assert from "node:assert/strict";
import {
  aggregate,
  type AssetRules,
  type Bar,
  barsOf,
  cursorAfterCatchup,
  DAY,
  defaultRules,
  type DerivedTimeframe,
  HOUR,
  MINUTE,
  sourceOf,
} from "../../model/aggregator.ts";
import { PRESETS } from "../../model/session.ts";

const START = Date.parse("2026-01-05T00:00:00Z");

function flatBar(minute: number, price: number, more: Partial<Bar> = {}): Bar {
  const prices = { open: price, high: price, low: price, close: price };
  const bar = { ts: START + minute * MINUTE, ...prices, vol: null, vwap: null, tradeCount: null, isPartial: false };
  return { ...bar, ...more };
}

function barsOf1(minutes: Bar[], timeframe: DerivedTimeframe, rules: Partial<AssetRules> = {}) {
  return barsOf(aggregate(minutes, { ...defaultRules(START), ...rules }).windows[timeframe]);
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

Deno.test("an hour is made of its minutes, also of those whose five minutes have no bar", () => {
  // Four minutes in the first five, then two in each: 26, which is 43 %.
  const first = [0, 1, 2, 3].map((minute) => flatBar(minute, 10, { vol: 1, tradeCount: 1 }));
  const thin = range(1, 12).flatMap((five) => [flatBar(5 * five, 10 + five), flatBar(5 * five + 1, 10 - five)]);
  const minutes = [...first, ...thin];
  assert.equal(barsOf1(minutes, "5m").length, 1);
  assert.deepEqual(barsOf1(minutes, "1h"), []);
  assert.deepEqual(barsOf1(minutes, "1h", { poorPercent: 41 }), [{
    ts: START,
    open: 10,
    high: 21,
    low: -1,
    close: -1,
    vol: 4,
    vwap: null,
    tradeCount: 4,
    isPartial: false,
    sourceCandles: 1,
    expectedCandles: 12,
    coveredMinutes: 26,
    expectedMinutes: 60,
    quality: 0,
  }]);
});

Deno.test("an hour of 36 minutes, three in each five, is poor, and one of 35 has no bar", () => {
  const minutes = range(0, 12).flatMap((five) => range(0, 3).map((minute) => flatBar(5 * five + minute, 1)));
  assert.equal(barsOf1(minutes, "1h")[0]!.quality, 0);
  assert.equal(barsOf1(minutes.slice(1), "1h").length, 0);
  assert.equal(barsOf1(minutes.slice(1), "1h", { poorPercent: 0 })[0]!.quality, 0);
});

Deno.test("volume without a vwap has no weight in the vwap of any timeframe", () => {
  const minutes = [
    flatBar(0, 10, { vol: 100, vwap: 10 }),
    flatBar(1, 10, { vol: 900 }),
    ...range(5, 60).map((minute) => flatBar(minute, 20, { vol: 20, vwap: 20 })),
  ];
  for (const timeframe of ["1h", "4h", "1d"] as const) {
    const [bar] = barsOf1(minutes, timeframe, { poorPercent: 0 });
    assert.equal(bar!.vwap!.toFixed(3), "19.167", timeframe);
    assert.equal(bar!.vol, 2100, timeframe);
  }
});

Deno.test("minutes outside the session are in no bar and do not count", () => {
  const session = { time_zone: "UTC", weekly: [{ open: "Mon 00:03", close: "Mon 00:17" }] };
  const minutes = range(0, 60).map((minute) => flatBar(minute, minute));
  const five = barsOf1(minutes, "5m", { session });
  assert.deepEqual(five.map(({ open, expectedMinutes }) => [open, expectedMinutes]), [[3, 2], [5, 5], [10, 5], [
    15,
    2,
  ]]);
  const [hour] = barsOf1(minutes, "1h", { session });
  assert.deepEqual(
    [hour!.open, hour!.close, hour!.coveredMinutes, hour!.expectedMinutes, hour!.sourceCandles, hour!.expectedCandles],
    [3, 16, 14, 14, 4, 4],
  );
  assert.equal(barsOf1(minutes, "1w", { session })[0]!.quality, 2);
});

Deno.test("a day of 25 hours expects 1500 minutes, and is partial when one of its minutes is", () => {
  const from = Date.parse("2026-10-31T21:00:00Z");
  const minutes = range(0, 25 * 60).map((minute) => flatBar((from - START) / MINUTE + minute, 1));
  minutes[700]!.isPartial = true;
  const dayClose = { time: "17:00", time_zone: "America/New_York" };
  const [day] = barsOf1(minutes, "1d", { dayClose });
  assert.deepEqual(
    [day!.ts, day!.expectedMinutes, day!.sourceCandles, day!.expectedCandles, day!.quality, day!.isPartial],
    [from, 1500, 25, 25, 2, true],
  );
});

Deno.test("longer bars count hours where their windows begin with one, otherwise five minutes", () => {
  const source = (time: string, time_zone: string) =>
    sourceOf("1d", { ...defaultRules(START), dayClose: { time, time_zone } });
  assert.equal(source("00:00", "UTC"), "1h");
  assert.equal(source("17:00", "America/New_York"), "1h");
  assert.equal(source("17:30", "America/New_York"), "5m");
  assert.equal(source("00:00", "Asia/Kolkata"), "5m");
  assert.equal(source("17:30", "Asia/Kolkata"), "1h");
  assert.equal(source("00:00", "Asia/Kathmandu"), "5m");
  assert.equal(source("00:00", "Australia/Lord_Howe"), "5m");
  assert.equal(sourceOf("30m", defaultRules(START)), "5m");
});

Deno.test("a cursor stops at the last window with data, at the delay and at what its source has decided", () => {
  const rules = {
    ...defaultRules(START),
    session: PRESETS.fx,
    dayClose: { time: "17:00", time_zone: "America/New_York" },
  };
  const cursor = (timeframe: DerivedTimeframe, now: number, more: { decidedTo?: number; lastSource?: number } = {}) =>
    new Date(cursorAfterCatchup({
      timeframe,
      rules,
      delaySeconds: 300,
      now,
      sourceTimes: [more.lastSource ?? now - MINUTE],
      sourceDecidedTo: more.decidedTo ?? Infinity,
    })).toISOString().slice(0, 16);
  // The first day at or after START begins at 22:00, the day before it is the cursor of a task that has decided nothing.
  assert.equal(cursor("1d", START + DAY), "2026-01-04T22:00");
  assert.equal(cursor("1d", START + 46 * HOUR + 299_000), "2026-01-04T22:00");
  assert.equal(cursor("1d", START + 46 * HOUR + 300_000), "2026-01-05T22:00");
  assert.equal(cursor("1d", START + 60 * DAY, { decidedTo: START + 70 * HOUR }), "2026-01-06T22:00");
  assert.equal(cursor("1d", START + 60 * DAY, { lastSource: START + 46 * HOUR }), "2026-01-06T22:00");
  assert.equal(cursor("4h", START + 9 * HOUR + 300_000, { lastSource: START + 2 * HOUR }), "2026-01-05T02:00");
  assert.equal(cursor("1w", START + 13 * DAY), "2026-01-04T22:00");
  assert.equal(cursor("1w", START + 14 * DAY), "2026-01-11T22:00");
});
