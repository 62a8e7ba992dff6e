import fc from "fast-check";
import assert from "node:assert/strict";
import { DAY } from "../../model/aggregator.ts";
import { MINUTE } from "../../model/clock.ts";
import { calendarSketch, describeCalendar, describeSession, sessionSketch, ZONES } from "../../model/histories.ts";
import { openSpans } from "../../model/session.ts";
import { addCalendar } from "../../scripts/lib/play/calendar.ts";
import { checkProperty } from "../support/check_property.ts";
import { openEngine } from "../support/engine.ts";

const RUNS = 400;

/** Dates on or near which the clock of some of the zones is changed, and another one. */
const DATES = [
  "2026-03-06",
  "2026-03-27",
  "2026-04-03",
  "2026-09-25",
  "2026-10-02",
  "2026-10-23",
  "2026-10-30",
  "2030-06-13",
];

const question = fc.record({
  session: sessionSketch,
  calendar: fc.option(calendarSketch),
  date: fc.constantFrom(...DATES),
  fromMinute: fc.integer({ min: -2 * 1440, max: 4 * 1440 }),
  minutes: fc.oneof(fc.integer({ min: 1, max: 1440 }), fc.integer({ min: 1440, max: 20 * 1440 })),
  sessionZone: fc.constantFrom(...ZONES),
});

Deno.test("agg.open_spans() is open when the independent model of sessions and calendars is", async () => {
  await using engine = await openEngine();
  await checkProperty(RUNS, [question], async (question) => {
    const origin = Date.parse(`${question.date}T00:00:00Z`);
    const calendar = question.calendar && describeCalendar(question.calendar, "test", origin - 2 * DAY);
    if (calendar) await addCalendar(engine.db, calendar);
    const from = origin + question.fromMinute * MINUTE;
    const to = from + question.minutes * MINUTE;
    const weekly = describeSession(question.session);

    await engine.db.exec(`set time zone '${question.sessionZone}'`);
    const stored = await engine.db.query<{ from: number; to: number }>(
      `select
         (extract(epoch from lower(o.span)) * 1000)::bigint as from, (extract(epoch from upper(o.span)) * 1000)::bigint as to
       from unnest(agg.open_spans($1, agg.session_minutes($2::jsonb), $3, $4, $5)) as o (span)
       order by o.span`,
      [weekly?.time_zone, JSON.stringify(question.session ?? "24x7"), calendar?.name, new Date(from), new Date(to)],
    );
    assert.deepEqual(stored, openSpans(weekly, calendar, { from, to }));
  });
});
