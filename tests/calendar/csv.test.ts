import assert from "node:assert/strict";
import { readCsv } from "../../scripts/calendar/read_csv.ts";

Deno.test("readCsv finds columns by name, and the kind by the times where it is missing", () => {
  const text =
    "\ufeffName, Date ,Closes_at,opens_at\r\nChristmas,2026-12-25,,\r\n\r\nHalf-day,2026-11-27,13:00,\r\nLate,2026-03-02,,10:30\r\n";
  assert.deepEqual(readCsv(text), [
    { day: { day: "2026-12-25", kind: "closed" }, origin: "line 2" },
    { day: { day: "2026-11-27", kind: "early_close", closes_at: "13:00" }, origin: "line 4" },
    { day: { day: "2026-03-02", kind: "late_opening", opens_at: "10:30" }, origin: "line 5" },
  ]);
  assert.deepEqual(
    readCsv("day,kind,opens_at,closes_at\n2026-11-08,Special opening,18:00,19:15\n").map(({ day }) => day),
    [
      { day: "2026-11-08", kind: "special_opening", opens_at: "18:00", closes_at: "19:15" },
    ],
  );
});

Deno.test("readCsv names every line that it does not understand", () => {
  const text =
    "day,kind,opens_at,closes_at\n25.12.2026,,,\n2026-12-26,shut,,\n2026-12-28,,10:00,13:00\n2026-12-29,,,\n2026-02-30,,,\n";
  assert.throws(() => readCsv(text), (error: Error) => {
    assert.deepEqual(error.message.split("\n"), [
      'line 2: day must be a date such as 2026-12-25, not "25.12.2026"',
      'line 3: kind must be closed, early_close, late_opening, special_opening or empty, not "shut"',
      "line 4: both times are given: say in kind what they mean",
      'line 6: day must be a date such as 2026-12-25, not "2026-02-30"',
    ]);
    return true;
  });
  assert.throws(() => readCsv("holiday,closed\n2026-12-25,yes\n"), /no column day/);
  assert.throws(() => readCsv("day,kind\n2026-12-25,closed,13:00\n"), /line 2/);
});
