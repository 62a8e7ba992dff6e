import assert from "node:assert/strict";
import { MINUTE } from "../../model/clock.ts";
import { type Calendar, closedTimes, openSpans, PRESETS, type Session } from "../../model/session.ts";

/** The open spans from one instant to another, as text. */
function openText(session: Session | null, from: string, to: string, calendar: Calendar | null = null) {
  const text = (ts: number) => new Date(ts).toISOString().slice(5, 16);
  return openSpans(session, calendar, { from: Date.parse(from), to: Date.parse(to) })
    .map(({ from, to }) => `${text(from)} ${text(to)}`);
}

const newYork = (...weekly: Session["weekly"]) => ({ time_zone: "America/New_York", weekly });

Deno.test("openSpans() opens and closes presets on the clock of their market", () => {
  assert.deepEqual(openText(PRESETS.fx, "2026-03-02T00:00Z", "2026-03-14T00:00Z"), [
    "03-02T00:00 03-06T22:00",
    "03-08T21:00 03-13T21:00",
  ]);
  assert.deepEqual(openText(PRESETS.us_equity, "2026-03-06T00:00Z", "2026-03-10T00:00Z"), [
    "03-06T14:30 03-06T21:00",
    "03-09T13:30 03-09T20:00",
  ]);
  assert.deepEqual(openText(PRESETS.us_equity_extended, "2026-01-02T12:00Z", "2026-01-06T00:00Z"), [
    "01-02T12:00 01-03T01:00",
    "01-05T09:00 01-06T00:00",
  ]);
  assert.deepEqual(openText(PRESETS.cme_globex, "2024-01-04T20:00Z", "2024-01-09T00:00Z"), [
    "01-04T20:00 01-04T22:00",
    "01-04T23:00 01-05T22:00",
    "01-07T23:00 01-08T22:00",
    "01-08T23:00 01-09T00:00",
  ]);
});

Deno.test("openSpans() lasts from the first instant of the opening to the first one of the close", () => {
  const night = newYork({ open: "Sun 00:30", close: "Sun 01:30" });
  assert.deepEqual(openText(night, "2026-11-01T00:00Z", "2026-11-02T00:00Z"), ["11-01T04:30 11-01T05:30"]);
  const later = newYork({ open: "Sun 01:30", close: "Sun 02:30" });
  assert.deepEqual(openText(later, "2026-11-01T00:00Z", "2026-11-02T00:00Z"), ["11-01T05:30 11-01T07:30"]);
});

Deno.test("openSpans() has nothing where the clock is set forward from after the opening to after the close", () => {
  const missing = newYork({ open: "Sun 02:30", close: "Sun 03:15" });
  assert.deepEqual(openText(missing, "2026-03-08T00:00Z", "2026-03-09T00:00Z"), []);
  const across = newYork({ open: "Sun 01:30", close: "Sun 02:30" }, { open: "Sun 02:30", close: "Sun 03:15" });
  assert.deepEqual(openText(across, "2026-03-08T00:00Z", "2026-03-09T00:00Z"), ["03-08T06:30 03-08T07:15"]);
});

Deno.test("openSpans() follows the exceptions of a calendar", () => {
  const calendar: Calendar = {
    name: "C",
    timeZone: "America/New_York",
    dayStart: "00:00",
    days: [
      { day: "2024-07-03", kind: "early_close", closesAt: "13:00" },
      { day: "2024-07-04", kind: "closed" },
      { day: "2024-07-05", kind: "late_opening", opensAt: "10:00" },
      { day: "2024-07-06", kind: "special_opening", opensAt: "10:00", closesAt: "11:00" },
    ],
  };
  assert.deepEqual(openText(PRESETS.us_equity, "2024-07-03T00:00Z", "2024-07-08T00:00Z", calendar), [
    "07-03T13:30 07-03T17:00",
    "07-05T14:00 07-05T20:00",
    "07-06T14:00 07-06T15:00",
  ]);
  assert.deepEqual(openText(null, "2024-07-03T12:00Z", "2024-07-05T16:00Z", calendar), [
    "07-03T12:00 07-03T17:00",
    "07-05T14:00 07-05T16:00",
  ]);
});

Deno.test("openSpans() closes the trading day that ends on the date, where days begin in the afternoon", () => {
  const calendar: Calendar = {
    name: "C",
    timeZone: "America/New_York",
    dayStart: "17:00",
    days: [
      { day: "2025-12-25", kind: "closed" },
      { day: "2025-12-31", kind: "early_close", closesAt: "14:00" },
      { day: "2026-01-03", kind: "special_opening", opensAt: "18:00", closesAt: "17:00" },
    ],
  };
  assert.deepEqual(openText(PRESETS.fx, "2025-12-24T00:00Z", "2026-01-04T00:00Z", calendar), [
    "12-24T00:00 12-24T22:00",
    "12-25T22:00 12-26T22:00",
    "12-28T22:00 12-31T19:00",
    "12-31T22:00 01-02T22:00",
    "01-02T23:00 01-03T22:00",
  ]);
});

Deno.test("closedTimes() puts the weekend before the nights", () => {
  assert.deepEqual(closedTimes(PRESETS.us_equity)[0], { opens: 9 * 60 + 30, length: (2 * 24 + 17.5) * 60 });
  assert.deepEqual(closedTimes(PRESETS.fx), [{ opens: (6 * 24 + 17) * 60, length: 48 * 60 }]);
  assert.equal(closedTimes(PRESETS.cme_globex).length, 5);
  const always = newYork({ open: "Mon 00:00", close: "Fri 00:00" }, { open: "Fri 00:00", close: "Mon 00:00" });
  assert.deepEqual(closedTimes(always), []);
  assert.equal(openSpans(always, null, { from: 0, to: 30 * 1440 * MINUTE }).length, 1);
});
