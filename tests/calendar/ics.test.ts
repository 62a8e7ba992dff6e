import assert from "node:assert/strict";
import { type Clock, readIcs } from "../../scripts/calendar/read_ics.ts";

const newYork: Clock = { timeZone: "America/New_York", dayStart: "00:00" };
const fx: Clock = { timeZone: "America/New_York", dayStart: "17:00" };

/** A calendar of events, each given by its lines without UID. */
function ics(...events: string[]): string {
  const blocks = events.map((lines, index) =>
    lines.startsWith("BEGIN:") ? lines : `BEGIN:VEVENT\nUID:${index}\n${lines}\nEND:VEVENT`
  );
  return ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", ...blocks, "END:VCALENDAR", ""].join("\n").replaceAll(
    "\n",
    "\r\n",
  );
}

/** The days that one event makes, in one line each. */
function read(event: string, clock: Clock = newYork): string[] {
  return readIcs(ics(event), clock).map(({ day }) => Object.values(day).join(" "));
}

Deno.test("an all-day event closes its trading days, without the day on which it ends", () => {
  assert.deepEqual(read("DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas"), ["2026-12-25 closed"]);
  assert.deepEqual(read("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nSUMMARY:Christmas"), [
    "2026-12-25 closed",
  ]);
  assert.deepEqual(read("DTSTART;VALUE=DATE:20260217\nDTEND;VALUE=DATE:20260220\nSUMMARY:Lunar New Year"), [
    "2026-02-17 closed",
    "2026-02-18 closed",
    "2026-02-19 closed",
  ]);
  assert.deepEqual(read("DTSTART;VALUE=DATE:20261225\nDURATION:P2D\nSUMMARY:Christmas"), [
    "2026-12-25 closed",
    "2026-12-26 closed",
  ]);
  assert.deepEqual(read("DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas", fx), ["2026-12-25 closed"]);
});

Deno.test("an event with times is an early close, a late opening or a closed day, by the trading day that it covers", () => {
  const half = "SUMMARY:Early close";
  assert.deepEqual(read(`DTSTART:20261127T130000\nDTEND:20261128T000000\n${half}`), ["2026-11-27 early_close 13:00"]);
  assert.deepEqual(read(`DTSTART:20260302T000000\nDTEND:20260302T103000\nSUMMARY:Late opening`), [
    "2026-03-02 late_opening 10:30",
  ]);
  assert.deepEqual(read(`DTSTART:20261224T130000\nDTEND:20261226T093000\nSUMMARY:Christmas`), [
    "2026-12-24 early_close 13:00",
    "2026-12-25 closed",
    "2026-12-26 late_opening 09:30",
  ]);
  assert.deepEqual(read(`DTSTART:20261224T130000\nDTEND:20261225T170000\nSUMMARY:Christmas`, fx), [
    "2026-12-24 early_close 13:00",
    "2026-12-25 closed",
  ]);
});

Deno.test("times in UTC and in other zones become those of the calendar", () => {
  assert.deepEqual(read("DTSTART:20261127T180000Z\nDTEND:20261128T050000Z\nSUMMARY:Half-day"), [
    "2026-11-27 early_close 13:00",
  ]);
  assert.deepEqual(
    read("DTSTART;TZID=Europe/London:20260313T170000\nDTEND;TZID=America/Chicago:20260313T230000\nSUMMARY:Half-day"),
    ["2026-03-13 early_close 13:00"],
    "New York has summer time on 13 March and London has not",
  );
  const zone =
    "BEGIN:VTIMEZONE\nTZID:Trading Time\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:-0600\nTZOFFSETTO:-0600\n" +
    "END:STANDARD\nEND:VTIMEZONE";
  const event = "DTSTART;TZID=Trading Time:20261127T120000\nDTEND;TZID=Trading Time:20261127T230000\nSUMMARY:Half-day";
  assert.deepEqual(readIcs(ics(zone, event), newYork).map(({ day }) => day), [
    { day: "2026-11-27", kind: "early_close", closes_at: "13:00" },
  ]);
  assert.throws(() => read(event), /Half-day: the file does not say what the time zone Trading Time is/);
});

Deno.test("a special opening opens", () => {
  assert.deepEqual(
    readIcs(
      ics("DTSTART:20261108T180000\nDTEND:20261108T191500\nSUMMARY:Special opening (Diwali)"),
      { timeZone: "Asia/Kolkata", dayStart: "00:00" },
    ).map(({ day, origin }) => [day, origin]),
    [[
      { day: "2026-11-08", kind: "special_opening", opens_at: "18:00", closes_at: "19:15" },
      "Special opening (Diwali)",
    ]],
  );
  assert.throws(
    () => read("DTSTART:20261108T180000\nDTEND:20261109T020000\nSUMMARY:Special opening"),
    /must lie in one trading day, which begins at 00:00/,
  );
});

Deno.test("a repeated event has its occurrences, with exceptions and changes, up to 2050", () => {
  assert.deepEqual(
    read("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY;COUNT=3\nEXDATE;VALUE=DATE:20260101\nSUMMARY:New Year"),
    ["2025-01-01 closed", "2027-01-01 closed"],
  );
  const moved = ics(
    "BEGIN:VEVENT\nUID:a\nDTSTART;VALUE=DATE:20250619\nRRULE:FREQ=YEARLY;COUNT=2\nSUMMARY:Juneteenth\nEND:VEVENT",
    "BEGIN:VEVENT\nUID:a\nRECURRENCE-ID;VALUE=DATE:20260619\nDTSTART;VALUE=DATE:20260618\nSUMMARY:Juneteenth\nEND:VEVENT",
  );
  assert.deepEqual(readIcs(moved, newYork).map(({ day }) => day.day), ["2025-06-19", "2026-06-18"]);
  assert.equal(read("DTSTART;VALUE=DATE:20250101\nRRULE:FREQ=YEARLY\nSUMMARY:New Year").length, 26);
  assert.deepEqual(read("DTSTART;VALUE=DATE:20250101\nSTATUS:CANCELLED\nSUMMARY:New Year"), []);
});

Deno.test("an event that could mean something else is refused and named, all at once", () => {
  const events = [
    "DTSTART;VALUE=DATE:20261127\nSUMMARY:Early close (1 p.m.)",
    "DTSTART:20261127T130000\nDTEND:20261127T160000\nSUMMARY:Afternoon",
    "DTSTART:20261127T130000\nSUMMARY:Moment",
  ];
  assert.throws(() => readIcs(ics(...events), newYork), (error: Error) => {
    assert.deepEqual(error.message.split("\n"), [
      "Early close (1 p.m.): an all-day event means closed: give the event the times in which the market is closed",
      "Afternoon: on 2026-11-27 the event neither begins nor ends with the trading day (00:00): for an early close let it end at " +
      "2026-11-28 00:00:00",
      "Moment: the event has no length",
    ]);
    return true;
  });
  assert.throws(() => readIcs(ics(events[1]!), { dayStart: "00:00" }), /give the zone of the calendar by --time-zone/);
  assert.throws(() => readIcs("day,kind\n2026-12-25,closed\n", newYork), /invalid/i);
});
