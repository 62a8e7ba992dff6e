import fc from "fast-check";
import {
  type AssetRules,
  type Bar,
  type DayClose,
  DERIVED,
  type DerivedTimeframe,
  LENGTH,
  MANDATORY,
  MIDNIGHT_UTC,
  MINUTE,
  OPTIONAL,
} from "./aggregator.ts";
import { HOUR, instantOf, wallAt } from "./clock.ts";
import { noise } from "./noise.ts";
import { type Calendar, type CalendarDay, closedTimes, PRESETS, type Session, timeOfWeek } from "./session.ts";

/** Where every history begins that does not say otherwise: a Monday midnight, before the clocks change in New York. */
export const ORIGIN = Date.parse("2025-10-27T00:00:00Z");

/** Monday midnights before the clocks change, in both directions, in the north and in the south. */
export const ORIGINS = [ORIGIN, Date.parse("2026-03-02T00:00:00Z"), Date.parse("2026-09-21T00:00:00Z")];

/** Zones for which Postgres and JavaScript know the same changes of the clock. */
export const ZONES = [
  "UTC",
  "America/New_York",
  "America/Chicago",
  "Europe/London",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Australia/Sydney",
  "Pacific/Auckland",
];

/** One asset: its rules, its 1m bars and when each of them arrives. */
export interface Asset {
  symbol: string;
  rules: AssetRules;
  /** What the registry says of it: `metadata.agg`. */
  metadata: Record<string, unknown>;
  /** The timeframes that it has tasks of. */
  timeframes: DerivedTimeframe[];
  delaySeconds: Record<DerivedTimeframe, number>;
  minutes: Bar[];
  /** Instant from which the bar of the same index is in the table: never later than its 5m window may be decided. */
  arrivals: number[];
}

/** What fast-check makes, shrinks and prints; `describeAsset` turns it into an `Asset`. */
export interface AssetSketch {
  /** Seconds from the first minute of the history to the start of aggregation. */
  startSeconds: number;
  /** `optional`: of every timeframe that is not mandatory. */
  delaySeconds: { "5m": number; "1h": number; optional: number };
  quality: { good: number; poor: number };
  sparse: boolean;
  session: Session | keyof typeof PRESETS | null;
  calendar: CalendarSketch | null;
  dayClose: DayClose;
  optional: DerivedTimeframe[];
  segments: Segment[];
  /** Seeds prices, volumes and what is null. */
  seed: number;
  /** Whether bars arrive one by one as the clock goes, or all are there before it starts. */
  live: boolean;
}

export interface CalendarSketch {
  timeZone: string;
  dayStart: string;
  /** In order of dates from the first one of the history on; null where nothing differs. */
  days: (Omit<CalendarDay, "day"> | null)[];
}

/** A gap, then bars. */
type Segment = { gapMinutes: number } & (Masks | Hours);

/** Five minutes every `stepMinutes`, of which the set bits of each mask have a bar. */
interface Masks {
  masks: number[];
  stepMinutes: number;
}

/** Hours in a row of whose five minutes a share is full and the others have some of their bars. */
interface Hours {
  hours: number;
  full: number;
}

const masks = fc.array(
  fc.oneof({ weight: 3, arbitrary: fc.constant(31) }, { weight: 4, arbitrary: fc.integer({ min: 0, max: 31 }) }),
  { minLength: 1, maxLength: 24 },
);

const freeSegment: fc.Arbitrary<Segment> = fc.record({
  gapMinutes: fc.oneof(
    fc.integer({ min: 0, max: 12 }),
    fc.integer({ min: 13, max: 300 }),
    fc.constantFrom(24 * 60, 2 * 24 * 60 + 7, 9 * 24 * 60),
  ),
  masks,
  stepMinutes: fc.constant(5),
});

/** A market in which minutes, or hours, go by without a bar. */
const thinSegment: fc.Arbitrary<Segment> = fc.record({
  gapMinutes: fc.integer({ min: 0, max: 300 }),
  masks: fc.array(fc.integer({ min: 0, max: 31 }), { minLength: 1, maxLength: 60 }),
  stepMinutes: fc.oneof(fc.constantFrom(5, 10), fc.integer({ min: 5, max: 400 })),
});

/** A day and more with most of its minutes. */
const denseDay: fc.Arbitrary<Segment> = fc.record({
  gapMinutes: fc.integer({ min: 0, max: 1440 }),
  hours: fc.integer({ min: 20, max: 36 }),
  full: fc.constantFrom(1, 0.95, 0.75, 0.55),
});

/** An hour of which a chosen number of minutes is covered, in five-minutes that have 0, 3, 4 or 5 of theirs. */
const chosenHour: fc.Arbitrary<Segment> = fc.record({
  covered: fc.constantFrom(33, 35, 36, 37, 45, 47, 48, 49, 59, 60),
  seed: fc.nat(),
}).map(({ covered, seed }) => {
  const counts = Array.from({ length: 12 }, () => 5);
  for (let step = 0, total = 60; total > covered; step++) {
    const index = Math.floor(noise(seed, step) * 12);
    const lower = counts[index] === 3 ? 0 : counts[index]! - 1;
    if (counts[index] === 0 || total - (counts[index]! - lower) < covered) {
      if (step > 500) break;
      continue;
    }
    total -= counts[index]! - lower;
    counts[index] = lower;
  }
  return { gapMinutes: 0, masks: counts.map((count) => maskOf(count, noise(seed, 1000 + count))), stepMinutes: 5 };
});

function maskOf(count: number, random: number): number {
  const all = Array.from({ length: 32 }, (_, mask) => mask).filter((mask) => bitsOf(mask).length === count);
  return all[Math.floor(random * all.length)]!;
}

function bitsOf(mask: number): number[] {
  return [0, 1, 2, 3, 4].filter((bit) => mask & (1 << bit));
}

const entry = fc.record({
  // Clocks are changed in the first hours of a Sunday.
  opens: fc.oneof(fc.nat(2 * 1440), fc.nat(7 * 1440 - 1), fc.integer({ min: 6 * 1440, max: 6 * 1440 + 240 })),
  minutes: fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 120, max: 4 * 1440 })),
}).map(({ opens, minutes }) => ({ open: timeOfWeek(opens), close: timeOfWeek((opens + minutes) % (7 * 1440)) }));

const zone = fc.constantFrom(...ZONES);

export const sessionSketch: fc.Arbitrary<AssetSketch["session"]> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(null) },
  {
    weight: 2,
    arbitrary: fc.record({ time_zone: zone, weekly: fc.array(entry, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.constantFrom(...Object.keys(PRESETS) as (keyof typeof PRESETS)[]) },
);

const dayTime = fc.nat(95).map((quarter) => timeOfWeek(quarter * 15).slice(4));

const calendarDay: fc.Arbitrary<CalendarSketch["days"][number]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant({ kind: "closed" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("early_close" as const), closesAt: dayTime }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("late_opening" as const), opensAt: dayTime }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("special_opening" as const), opensAt: dayTime, closesAt: dayTime }),
  },
);

export const calendarSketch: fc.Arbitrary<CalendarSketch> = fc.record({
  timeZone: zone,
  dayStart: fc.constantFrom("00:00", "17:00", "06:30"),
  days: fc.array(calendarDay, { maxLength: 20 }),
});

const dayClose: fc.Arbitrary<DayClose> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(MIDNIGHT_UTC) },
  { weight: 2, arbitrary: fc.constant({ time: "17:00", time_zone: "America/New_York" }) },
  {
    weight: 3,
    arbitrary: fc.record({
      time: fc.constantFrom("00:00", "01:30", "02:15", "09:15", "12:00", "17:00", "17:30", "22:00"),
      time_zone: zone,
    }),
  },
);

const delay = fc.oneof(fc.constantFrom(0, 1, 59, 60, 300, 3600), fc.nat(900));

export const assetSketch: fc.Arbitrary<AssetSketch> = fc.record({
  startSeconds: fc.oneof(
    fc.constant(-HOUR / 1000),
    fc.constantFrom(0, 300, 3600),
    fc.integer({ min: -7200, max: 14_400 }),
  ),
  delaySeconds: fc.record({ "5m": delay, "1h": delay, optional: delay }),
  quality: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ good: 80, poor: 60 }) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }))
        .map(([a, b]) => ({ good: Math.max(a, b), poor: Math.min(a, b) })),
    },
  ),
  sparse: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  session: sessionSketch,
  calendar: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: calendarSketch }),
  dayClose,
  optional: fc.subarray<DerivedTimeframe>([...OPTIONAL]),
  segments: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: freeSegment },
      { weight: 6, arbitrary: chosenHour },
      { weight: 3, arbitrary: thinSegment },
      { weight: 1, arbitrary: denseDay },
    ),
    { minLength: 1, maxLength: 5 },
  ),
  seed: fc.nat(),
  live: fc.boolean(),
});

/** What a sketch of an asset of which the registry says nothing has in common with others. */
export const PLAIN: Omit<AssetSketch, "segments" | "seed"> = {
  startSeconds: 0,
  delaySeconds: { "5m": 300, "1h": 300, optional: 300 },
  quality: { good: 80, poor: 60 },
  sparse: false,
  session: null,
  calendar: null,
  dayClose: MIDNIGHT_UTC,
  optional: [],
  live: false,
};

/** The asset that a sketch stands for, with a history from `origin` on. The same sketch always makes the same asset. */
export function describeAsset(sketch: AssetSketch, symbol: string, origin = ORIGIN): Asset {
  const minutes = minutesOf(sketch, origin);
  const session = describeSession(sketch.session);
  const startUtc = origin + sketch.startSeconds * 1000;
  const calendar = sketch.calendar && describeCalendar(sketch.calendar, `calendar_of_${symbol}`, origin);
  const hasWeek = hasClearWeek(session, sketch.dayClose);
  const optional = sketch.optional.filter((timeframe) => timeframe !== "1w" || hasWeek);
  return {
    symbol,
    rules: {
      startUtc,
      goodPercent: sketch.quality.good,
      poorPercent: sketch.sparse ? 0 : sketch.quality.poor,
      session,
      calendar,
      dayClose: sketch.dayClose,
    },
    metadata: {
      start_utc: new Date(startUtc).toISOString(),
      quality: sketch.quality,
      session: sketch.session ?? "24x7",
      ...(calendar && { calendar: calendar.name }),
      ...(optional.length > 0 && { optional }),
      ...(sketch.sparse && { sparse: true }),
      ...(sketch.dayClose !== MIDNIGHT_UTC && { day_close: sketch.dayClose }),
    },
    timeframes: DERIVED.filter((timeframe) => [...MANDATORY, ...optional].includes(timeframe)),
    delaySeconds: Object.fromEntries(DERIVED.map((timeframe) => {
      const isMandatory = timeframe === "5m" || timeframe === "1h";
      return [timeframe, sketch.delaySeconds[isMandatory ? timeframe : "optional"]];
    })) as Asset["delaySeconds"],
    minutes,
    arrivals: minutes.map((bar) => {
      if (!sketch.live) return -Infinity;
      const complete = bar.ts + MINUTE;
      const decided = (Math.floor(bar.ts / LENGTH["5m"]) + 1) * LENGTH["5m"] + sketch.delaySeconds["5m"] * 1000;
      return complete + Math.floor(noise(sketch.seed, bar.ts, 7) * (decided - complete));
    }),
  };
}

/** The session that a sketch stands for. */
export function describeSession(sketch: AssetSketch["session"]): Session | null {
  return typeof sketch === "string" ? PRESETS[sketch] : sketch;
}

/** The calendar that a sketch stands for, whose first date is that of `origin`. */
export function describeCalendar({ days, ...rest }: CalendarSketch, name: string, origin: number): Calendar {
  const first = wallAt(origin, "UTC").toPlainDate();
  // An early close at the time at which the day begins could be both of its ends.
  const isUnclear = (day: Partial<CalendarDay>) =>
    day.kind === "early_close" && "closesAt" in day && day.closesAt === rest.dayStart;
  const dated = days.flatMap((exception, index) =>
    exception === null || isUnclear(exception)
      ? []
      : [{ ...exception, day: first.add({ days: index }).toString() } as CalendarDay]
  );
  return { ...rest, name, days: dated };
}

/**
 * Whether the rule says on which day the week begins: one closed time is the longest, and what ends it falls on the same
 * day in winter and in summer.
 */
function hasClearWeek(session: Session | null, { time, time_zone }: DayClose): boolean {
  if (session === null) return true;
  const [first, second] = closedTimes(session);
  if (!first) return true;
  if (first.length === second?.length) return false;
  const [winter, summer] = ["2000-01-03", "2000-07-03"].map((monday) => {
    const opens = Temporal.PlainDateTime.from(monday).add({ minutes: first.opens });
    return wallAt(instantOf(opens, session.time_zone), time_zone)
      .subtract({ minutes: timeOfDay(time) }).dayOfWeek;
  });
  return winter === summer;
}

function timeOfDay(time: string): number {
  const { hour, minute } = Temporal.PlainTime.from(time);
  return hour * 60 + minute;
}

function minutesOf({ segments, seed }: AssetSketch, origin: number): Bar[] {
  const bars: Bar[] = [];
  let ts = origin;
  for (const segment of segments) {
    ts += segment.gapMinutes * MINUTE;
    const { masks, stepMinutes } = "masks" in segment ? segment : masksOf(segment, noise(seed, ts) * 2 ** 31);
    // Runs of a whole hour start on the hour, so that the chosen coverage is that of one window.
    const grid = segment.gapMinutes === 0 && masks.length === 12 && stepMinutes === 5 ? HOUR : MINUTE;
    ts = Math.ceil(ts / grid) * grid;
    for (const mask of masks) {
      bars.push(...bitsOf(mask).map((bit) => barAt(ts + bit * MINUTE, seed)));
      ts += stepMinutes * MINUTE;
    }
  }
  return bars;
}

function masksOf({ hours, full }: Hours, seed: number): Masks {
  const maskAt = (index: number) => noise(seed, index, 1) < full ? 31 : Math.floor(noise(seed, index, 2) * 32);
  return { masks: Array.from({ length: hours * 12 }, (_, index) => maskAt(index)), stepMinutes: 5 };
}

/** A bar with full-width doubles. Volume, vwap and count are sometimes null or zero. */
function barAt(ts: number, seed: number): Bar {
  const random = (salt: number) => noise(seed, ts, salt);
  const [a, b, c, d] = [1, 2, 3, 4].map((salt) => 1 + random(salt) * 0.01).sort((x, y) => x - y);
  const rising = random(5) < 0.5;
  const vol = random(6) < 0.15 ? null : random(8) < 0.15 ? 0 : random(9) * 1e6;
  return {
    ts,
    low: a!,
    open: rising ? b! : c!,
    close: rising ? c! : b!,
    high: d!,
    vol,
    vwap: random(10) < 0.25 ? null : a! + random(11) * (d! - a!),
    tradeCount: random(12) < 0.15 ? null : Math.floor(random(13) * 1000),
    isPartial: random(14) < 0.03,
  };
}
