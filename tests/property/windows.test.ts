import fc from "fast-check";
import assert from "node:assert/strict";
import { DAY } from "../../model/aggregator.ts";
import { type Grid, HOUR, MINUTE, windowAround } from "../../model/clock.ts";
import { ZONES } from "../../model/histories.ts";
import { checkProperty } from "../support/check_property.ts";
import { openEngine } from "../support/engine.ts";

const RUNS = 300;

const FIRST = Date.parse("2000-01-01T00:00:00Z");
const LAST = Date.parse("2037-01-01T00:00:00Z");

/** The instants at which the clock of each zone is changed, in both directions. */
const CHANGES = new Map(ZONES.map((zone) => [zone, changesOf(zone)]));

function changesOf(zone: string): number[] {
  const changes: number[] = [];
  let at = Temporal.Instant.fromEpochMilliseconds(FIRST).toZonedDateTimeISO(zone).getTimeZoneTransition("next");
  for (; at && at.epochMilliseconds < LAST; at = at.getTimeZoneTransition("next")) changes.push(at.epochMilliseconds);
  return changes;
}

/** Windows on a local clock must be longer than its changes. */
const length = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(4 * HOUR, DAY, 7 * DAY) },
  { weight: 1, arbitrary: fc.constantFrom(2 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR) },
  { weight: 1, arbitrary: fc.integer({ min: 8, max: 96 }).map((quarters) => quarters * 15 * MINUTE) },
);

const origin = fc.record({ day: fc.integer({ min: -7, max: 7 }), quarter: fc.nat(95) }).map(({ day, quarter }) =>
  Temporal.PlainDateTime.from("2000-01-03T00:00").add({ minutes: 1440 * day + 15 * quarter })
);

/** Any instant, or one near a change of the clock: the very instant, within hours of it, or within a long window. */
const instant = (zone: string) => {
  const any = fc.integer({ min: FIRST, max: LAST });
  const changes = CHANGES.get(zone)!;
  if (changes.length === 0) return any;
  const near = (distance: number) =>
    fc.tuple(fc.constantFrom(...changes), fc.integer({ min: -distance, max: distance })).map(([at, by]) => at + by);
  return fc.oneof(any, near(0), near(1), near(3 * HOUR), near(30 * HOUR), near(8 * DAY));
};

interface Question extends Grid {
  instants: number[];
  sessionZone: string;
}

const question: fc.Arbitrary<Question> = fc.constantFrom(...ZONES).chain((timeZone) =>
  fc.record({
    length,
    timeZone: fc.constant(timeZone),
    origin,
    instants: fc.array(instant(timeZone), { minLength: 1, maxLength: 60, size: "max" }),
    sessionZone: fc.constantFrom(...ZONES),
  })
);

const MILLISECONDS = (instant: string) => `(extract(epoch from ${instant}) * 1000)::bigint`;

interface Answer {
  from: number;
  to: number;
  /** The windows that begin and end where this one ends and begins. */
  nextFrom: number;
  beforeTo: number;
  /** The window of its first and of its last instant. */
  ownFrom: number;
  ownTo: number;
}

Deno.test("each instant lies in exactly one window, which ends where the next begins, in every zone", async () => {
  await using engine = await openEngine();
  await checkProperty(RUNS, [question], async ({ instants, sessionZone, ...grid }) => {
    await engine.db.exec(`set time zone '${sessionZone}'`);
    const { length, timeZone, origin } = grid;
    const answers = await engine.db.query<Answer>(
      `select
         ${MILLISECONDS("w.from_utc")} as from, ${MILLISECONDS("w.to_utc")} as to,
         ${MILLISECONDS("agg.window_start(w.to_utc, g.length, g.zone, g.origin)")} as "nextFrom",
         ${MILLISECONDS("agg.window_end(w.from_utc - interval '1 us', g.length, g.zone, g.origin)")} as "beforeTo",
         ${MILLISECONDS("agg.window_start(w.to_utc - interval '1 us', g.length, g.zone, g.origin)")} as "ownFrom",
         ${MILLISECONDS("agg.window_end(w.from_utc, g.length, g.zone, g.origin)")} as "ownTo"
       from (select $1::interval as length, $2::text as zone, $3::timestamp as origin) as g
       cross join jsonb_array_elements_text($4::jsonb) with ordinality as i (ms, number)
       cross join lateral (select to_timestamp(i.ms::bigint / 1000.0)) as t (ts)
       cross join lateral (
         select agg.window_start(t.ts, g.length, g.zone, g.origin), agg.window_end(t.ts, g.length, g.zone, g.origin)
       ) as w (from_utc, to_utc)
       order by i.number`,
      [`${length / MINUTE} minutes`, timeZone, origin.toString(), JSON.stringify(instants)],
    );
    assert.equal(answers.length, instants.length);
    for (const [index, answer] of answers.entries()) {
      const ts = instants[index]!;
      const { from, to } = windowAround(ts, grid);
      const expected: Answer = { from, to, nextFrom: to, beforeTo: from, ownFrom: from, ownTo: to };
      assert.deepEqual(answer, expected, `window of ${new Date(ts).toISOString()}`);
      assert.ok(from <= ts && ts < to);
    }
  });
});

Deno.test("windows without a zone are those of UTC, whatever the unit of their length", async () => {
  await using engine = await openEngine();
  const lengths = { "1 day": DAY, "24 hours": DAY, "1 week": 7 * DAY, "7 days": 7 * DAY, "4 hours": 4 * HOUR };
  await checkProperty(
    RUNS,
    [
      fc.constantFrom(...Object.keys(lengths) as (keyof typeof lengths)[]),
      origin,
      fc.integer({ min: FIRST, max: LAST }),
      fc.constantFrom(...ZONES),
    ],
    async (name, origin, ts, sessionZone) => {
      await engine.db.exec(`set time zone '${sessionZone}'`);
      const [answer] = await engine.db.query<Pick<Answer, "from" | "to">>(
        `select ${MILLISECONDS("agg.window_start($1, $2::interval, null, $3::timestamp)")} as from,
           ${MILLISECONDS("agg.window_end($1, $2::interval, null, $3::timestamp)")} as to`,
        [new Date(ts), name, origin.toString()],
      );
      assert.deepEqual(answer, windowAround(ts, { length: lengths[name], timeZone: "UTC", origin }));
    },
  );
});

Deno.test("agg.windows_between() lists the windows that touch a range, in every zone and without one", async () => {
  await using engine = await openEngine();
  const range = fc.record({
    length: fc.constantFrom(4 * HOUR, DAY, 7 * DAY),
    origin,
    timeZone: fc.constantFrom(...ZONES),
  })
    .chain((grid) =>
      fc.record({
        grid: fc.constant(grid),
        from: instant(grid.timeZone),
        length: fc.integer({ min: 1, max: 20 * DAY }),
      })
    );
  await checkProperty(RUNS, [range, fc.constantFrom(...ZONES)], async ({ grid, from, length }, sessionZone) => {
    await engine.db.exec(`set time zone '${sessionZone}'`);
    const to = from + length;
    const listed = await engine.db.query<{ from: number; to: number }>(
      `select ${MILLISECONDS("w.starts_utc")} as from, ${MILLISECONDS("w.ends_utc")} as to
       from agg.windows_between($1, $2, $3::interval, $4, $5::timestamp) as w order by 1`,
      [
        new Date(from),
        new Date(to),
        `${grid.length / HOUR} hours`,
        grid.timeZone === "UTC" ? null : grid.timeZone,
        grid.origin.toString(),
      ],
    );
    const expected = [];
    for (let ts = from; ts < to; ts = expected.at(-1)!.to) expected.push(windowAround(ts, grid));
    assert.deepEqual(listed, expected);
  });
});
