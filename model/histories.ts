import fc from "fast-check";
import { type AssetRules, type Bar, LENGTH, MINUTE } from "./aggregator.ts";
import { noise } from "./noise.ts";
import { type Session, timeOfWeek } from "./session.ts";

/** Where every history begins: a Monday midnight, before the clocks change in New York on 2 November 2025. */
export const ORIGIN = Date.parse("2025-10-27T00:00:00Z");

/** One asset: its rules, its 1m bars and when each of them arrives. */
export interface Asset {
  symbol: string;
  rules: AssetRules;
  delaySeconds: Record<"5m" | "1h", number>;
  minutes: Bar[];
  /** Instant from which the bar of the same index is in the table: never later than its 5m window may be decided. */
  arrivals: number[];
}

/** What fast-check makes, shrinks and prints; `describeAsset` turns it into an `Asset`. */
export interface AssetSketch {
  /** Seconds from the first minute of the history to the start of aggregation. */
  startSeconds: number;
  delaySeconds: Record<"5m" | "1h", number>;
  quality: { good: number; poor: number };
  session: Session | null;
  segments: Segment[];
  /** Seeds prices, volumes and what is null. */
  seed: number;
  /** Whether bars arrive one by one as the clock goes, or all are there before it starts. */
  live: boolean;
}

/** A gap, then runs of five minutes of which the set bits of each mask have a bar. */
interface Segment {
  gapMinutes: number;
  masks: number[];
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
  return { gapMinutes: 0, masks: counts.map((count) => maskOf(count, noise(seed, 1000 + count))) };
});

function maskOf(count: number, random: number): number {
  const all = Array.from({ length: 32 }, (_, mask) => mask).filter((mask) => bitsOf(mask).length === count);
  return all[Math.floor(random * all.length)]!;
}

function bitsOf(mask: number): number[] {
  return [0, 1, 2, 3, 4].filter((bit) => mask & (1 << bit));
}

const entry = fc.record({
  opens: fc.oneof(fc.nat(2 * 1440), fc.nat(7 * 1440 - 1)),
  minutes: fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 120, max: 4 * 1440 })),
}).map(({ opens, minutes }) => ({ open: timeOfWeek(opens), close: timeOfWeek((opens + minutes) % (7 * 1440)) }));

const session: fc.Arbitrary<Session> = fc.record({
  time_zone: fc.constantFrom("UTC", "America/New_York", "Asia/Kolkata"),
  weekly: fc.array(entry, { minLength: 1, maxLength: 4 }),
});

const delay = fc.oneof(fc.constantFrom(0, 1, 59, 60, 300, 3600), fc.nat(900));

export const assetSketch: fc.Arbitrary<AssetSketch> = fc.record({
  startSeconds: fc.oneof(
    fc.constant(-LENGTH["1h"] / 1000),
    fc.constantFrom(0, 300, 3600),
    fc.integer({ min: -7200, max: 14_400 }),
  ),
  delaySeconds: fc.record({ "5m": delay, "1h": delay }),
  quality: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ good: 80, poor: 60 }) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }))
        .map(([a, b]) => ({ good: Math.max(a, b), poor: Math.min(a, b) })),
    },
  ),
  session: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: session }),
  segments: fc.array(fc.oneof(freeSegment, chosenHour), { minLength: 1, maxLength: 5 }),
  seed: fc.nat(),
  live: fc.boolean(),
});

/** The asset that a sketch stands for. The same sketch always makes the same asset. */
export function describeAsset(sketch: AssetSketch, symbol: string): Asset {
  const minutes = minutesOf(sketch);
  return {
    symbol,
    rules: {
      startUtc: ORIGIN + sketch.startSeconds * 1000,
      goodPercent: sketch.quality.good,
      poorPercent: sketch.quality.poor,
      session: sketch.session,
    },
    delaySeconds: sketch.delaySeconds,
    minutes,
    arrivals: minutes.map((bar) => {
      if (!sketch.live) return -Infinity;
      const complete = bar.ts + MINUTE;
      const decided = (Math.floor(bar.ts / LENGTH["5m"]) + 1) * LENGTH["5m"] + sketch.delaySeconds["5m"] * 1000;
      return complete + Math.floor(noise(sketch.seed, bar.ts, 7) * (decided - complete));
    }),
  };
}

function minutesOf({ segments, seed }: AssetSketch): Bar[] {
  const bars: Bar[] = [];
  let ts = ORIGIN;
  for (const segment of segments) {
    // Runs of a whole hour start on the hour, so that the chosen coverage is that of one window.
    ts += segment.gapMinutes * MINUTE;
    const grid = segment.gapMinutes === 0 && segment.masks.length === 12 ? LENGTH["1h"] : MINUTE;
    ts = Math.ceil(ts / grid) * grid;
    for (const mask of segment.masks) {
      bars.push(...bitsOf(mask).map((bit) => barAt(ts + bit * MINUTE, seed)));
      ts += LENGTH["5m"];
    }
  }
  return bars;
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
  };
}
