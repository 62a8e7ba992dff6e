import assert from "node:assert/strict";
import { defaultRules, type DerivedTimeframe, type Timeframe, windowOf } from "../../model/aggregator.ts";
import { HOUR, instantOf, MINUTE, windowAround } from "../../model/clock.ts";
import { PRESETS, type Session } from "../../model/session.ts";

const at = (text: string) => Date.parse(text);

Deno.test("instantOf() takes the first of two instants, and the offset before the change in a hole", () => {
  const cases = {
    "America/New_York 2026-11-01T01:00": "2026-11-01T05:00Z",
    "America/New_York 2026-11-01T02:00": "2026-11-01T07:00Z",
    "America/New_York 2026-03-08T02:30": "2026-03-08T07:30Z",
    "Australia/Lord_Howe 2026-04-05T01:45": "2026-04-04T14:45Z",
    "Australia/Lord_Howe 2026-10-04T02:15": "2026-10-03T15:45Z",
    "Asia/Kolkata 2026-01-01T17:30": "2026-01-01T12:00Z",
    "Asia/Kathmandu 2026-01-01T00:00": "2025-12-31T18:15Z",
  };
  for (const [place, instant] of Object.entries(cases)) {
    const [zone, wall] = place.split(" ");
    assert.equal(instantOf(Temporal.PlainDateTime.from(wall!), zone!), at(instant), place);
  }
});

Deno.test("windowAround() does not start after the instant where the clock is set back by half an hour", () => {
  const hour = {
    length: HOUR,
    timeZone: "Australia/Lord_Howe",
    origin: Temporal.PlainDateTime.from("2000-01-03T00:00"),
  };
  const long = { from: at("2026-04-04T14:00Z"), to: at("2026-04-04T15:30Z") };
  for (let ts = long.from; ts < long.to; ts += 7 * MINUTE) assert.deepEqual(windowAround(ts, hour), long);
  const short = { from: at("2026-10-03T15:30Z"), to: at("2026-10-03T16:00Z") };
  assert.deepEqual(windowAround(at("2026-10-03T15:45Z"), hour), short);
});

const newYork = { time: "17:00", time_zone: "America/New_York" };

const WINDOWS: { timeframe: DerivedTimeframe; dayClose: typeof newYork; ts: string; from: string; hours: number }[] = [
  { timeframe: "4h", dayClose: newYork, ts: "2026-11-01T05:30Z", from: "2026-11-01T05:00Z", hours: 5 },
  { timeframe: "4h", dayClose: newYork, ts: "2026-11-01T06:30Z", from: "2026-11-01T05:00Z", hours: 5 },
  { timeframe: "4h", dayClose: newYork, ts: "2026-03-08T08:59Z", from: "2026-03-08T06:00Z", hours: 3 },
  { timeframe: "1d", dayClose: newYork, ts: "2026-03-08T12:00Z", from: "2026-03-07T22:00Z", hours: 23 },
  { timeframe: "1d", dayClose: newYork, ts: "2026-11-01T21:59Z", from: "2026-10-31T21:00Z", hours: 25 },
  { timeframe: "1w", dayClose: newYork, ts: "2026-11-03T00:00Z", from: "2026-11-01T22:00Z", hours: 168 },
  { timeframe: "1w", dayClose: newYork, ts: "2026-10-31T00:00Z", from: "2026-10-25T21:00Z", hours: 169 },
  {
    timeframe: "1d",
    dayClose: { time: "00:00", time_zone: "Asia/Kathmandu" },
    ts: "2026-01-01T00:00Z",
    from: "2025-12-31T18:15Z",
    hours: 24,
  },
];

Deno.test("windowOf() follows the clock of the day's close on the days on which it changes", () => {
  for (const { timeframe, dayClose, ts, from, hours } of WINDOWS) {
    const window = windowOf(at(ts), timeframe, { ...defaultRules(0), dayClose });
    assert.deepEqual(window, { from: at(from), to: at(from) + hours * HOUR }, `${timeframe} of ${ts}`);
  }
});

Deno.test("a week begins with the day of the first session, without one on Monday or the evening before", () => {
  const weekOf = (session: Session | null, time: string, time_zone: string, timeframe: Timeframe = "1w") =>
    new Date(
      windowOf(at("2026-01-07T00:00Z"), timeframe, { ...defaultRules(0), session, dayClose: { time, time_zone } }).from,
    )
      .toISOString().slice(0, 16);
  assert.equal(weekOf(null, "00:00", "UTC"), "2026-01-05T00:00");
  assert.equal(weekOf(null, "11:59", "UTC"), "2026-01-05T11:59");
  assert.equal(weekOf(null, "12:00", "UTC"), "2026-01-04T12:00");
  assert.equal(weekOf(null, "17:00", "America/New_York"), "2026-01-04T22:00");
  assert.equal(weekOf(PRESETS.fx, "17:00", "America/New_York"), "2026-01-04T22:00");
  assert.equal(weekOf(PRESETS.fx, "00:00", "UTC"), "2026-01-04T00:00");
  assert.equal(weekOf(PRESETS.us_equity, "17:00", "America/New_York"), "2026-01-04T22:00");
  assert.equal(weekOf(PRESETS.us_equity, "00:00", "America/New_York"), "2026-01-05T05:00");
  assert.equal(weekOf(PRESETS.cme_globex, "17:00", "America/Chicago"), "2026-01-04T23:00");
  const fromThursday = { time_zone: "UTC", weekly: [{ open: "Thu 08:00", close: "Sat 12:00" }] };
  assert.equal(weekOf(fromThursday, "00:00", "UTC"), "2026-01-01T00:00");
});
