import { isOpen, type Session } from "./session.ts";

// Written from the rules, not from the SQL that it is compared with: it walks window by window where the
// database works in sets. Every time is in milliseconds since 1970, UTC.

export const MINUTE = 60_000;

export interface Bar {
  /** Start of the bar. */
  ts: number;
  open: number;
  high: number;
  low: number;
  close: number;
  vol: number | null;
  vwap: number | null;
  tradeCount: number | null;
}

export interface DerivedBar extends Bar {
  sourceCandles: number;
  expectedCandles: number;
  coveredMinutes: number;
  expectedMinutes: number;
  quality: 0 | 1 | 2;
}

/** What the registry says of an asset. Percentages are whole numbers. */
export interface AssetRules {
  startUtc: number;
  goodPercent: number;
  poorPercent: number;
  session: Session | null;
}

export type Timeframe = "1m" | "5m" | "1h";

export const LENGTH: Record<Timeframe, number> = { "1m": MINUTE, "5m": 5 * MINUTE, "1h": 60 * MINUTE };

/** A window that has source bars, and the bar it makes; `bar` is null when too few of its minutes are covered. */
export interface Window {
  ts: number;
  coveredMinutes: number;
  expectedMinutes: number;
  bar: DerivedBar | null;
}

type SourceBar = Bar & { coveredMinutes?: number };

/** Start of the first window that lies wholly at or after `startUtc`. */
export function firstWindow(startUtc: number, length: number): number {
  return Math.ceil(startUtc / length) * length;
}

/** The windows of `timeframe` that have source bars, in order of time. Source bars may come in any order. */
export function buildWindows(source: SourceBar[], timeframe: "5m" | "1h", rules: AssetRules): Window[] {
  const length = LENGTH[timeframe];
  const sourceLength = LENGTH[timeframe === "5m" ? "1m" : "5m"];
  const windows = new Map<number, SourceBar[]>();
  for (const bar of [...source].sort((a, b) => a.ts - b.ts)) {
    if (timeframe === "5m" && !isOpen(rules.session, bar.ts)) continue;
    const start = Math.floor(bar.ts / length) * length;
    if (start < firstWindow(rules.startUtc, length)) continue;
    windows.set(start, [...windows.get(start) ?? [], bar]);
  }
  return [...windows].map(([ts, bars]) => buildWindow(ts, length, sourceLength, bars, rules));
}

function buildWindow(ts: number, length: number, sourceLength: number, bars: SourceBar[], rules: AssetRules): Window {
  const openMinutes = minutesOf(ts, length).filter((minute) => isOpen(rules.session, minute));
  const expectedMinutes = openMinutes.length;
  const coveredMinutes = bars.reduce((sum, bar) => sum + (bar.coveredMinutes ?? 1), 0);
  const quality = score(coveredMinutes, expectedMinutes, rules);
  const weighted = bars.filter((bar) => bar.vwap !== null && bar.vol !== null && bar.vol > 0);
  const bar: DerivedBar | null = quality === null ? null : {
    ts,
    open: bars[0]!.open,
    high: Math.max(...bars.map((bar) => bar.high)),
    low: Math.min(...bars.map((bar) => bar.low)),
    close: bars.at(-1)!.close,
    vol: sum(bars.map((bar) => bar.vol)),
    vwap: weighted.length === 0
      ? null
      : sum(weighted.map((bar) => bar.vwap! * bar.vol!))! / sum(weighted.map((bar) => bar.vol))!,
    tradeCount: sum(bars.map((bar) => bar.tradeCount)),
    sourceCandles: bars.length,
    expectedCandles: new Set(openMinutes.map((minute) => Math.floor(minute / sourceLength))).size,
    coveredMinutes,
    expectedMinutes,
    quality,
  };
  return { ts, coveredMinutes, expectedMinutes, bar };
}

function score(covered: number, expected: number, rules: AssetRules): 0 | 1 | 2 | null {
  if (expected === 0) return null;
  if (covered === expected) return 2;
  if (covered * 100 >= rules.goodPercent * expected) return 1;
  if (covered * 100 >= rules.poorPercent * expected) return 0;
  return null;
}

function minutesOf(ts: number, length: number): number[] {
  return Array.from({ length: length / MINUTE }, (_, index) => ts + index * MINUTE);
}

/** Adds from left to right, so that doubles are equal to the last bit; null when every value is null. */
function sum(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value);
}

/** A task after catch-up: it has decided every window up to and with the one that starts at the cursor. */
export interface CursorQuestion {
  timeframe: Timeframe;
  startUtc: number;
  delaySeconds: number;
  /** The clock. A source bar that starts at or after it is not known yet. */
  now: number;
  /** Starts of the source bars that are there. */
  sourceTimes: Iterable<number>;
  /** Cursor of the task that builds the source bars, where there is one. */
  sourceCursor?: { cursor: number; length: number };
}

/**
 * Where the cursor stands after catch-up: windows are decided one after the other from the start of aggregation, while
 * they end in time for both frontiers and they, or a later one, have a source bar.
 */
export function cursorAfterCatchup(question: CursorQuestion): number {
  const { timeframe, startUtc, delaySeconds, now, sourceTimes, sourceCursor } = question;
  const length = LENGTH[timeframe];
  let lastSource = -Infinity;
  for (const ts of sourceTimes) if (ts < now) lastSource = Math.max(lastSource, ts);
  const mayDecide = (end: number) =>
    end + delaySeconds * 1000 <= now &&
    (sourceCursor === undefined || end <= sourceCursor.cursor + sourceCursor.length);
  let next = firstWindow(startUtc, length);
  while (mayDecide(next + length) && lastSource >= next) next += length;
  return next - length;
}

/** What the tables must hold for one asset once everything that can be decided at `now` is. */
export interface Expectation {
  bars: Record<"5m" | "1h", DerivedBar[]>;
  cursors: Record<"5m" | "1h", number>;
}

/** All windows of an asset, whatever the clock says. */
export interface Aggregate {
  windows: Record<"5m" | "1h", Window[]>;
}

export function aggregate(minutes: Bar[], rules: AssetRules): Aggregate {
  const fiveMinutes = buildWindows(minutes, "5m", rules);
  const hours = buildWindows(barsOf(fiveMinutes), "1h", rules);
  return { windows: { "5m": fiveMinutes, "1h": hours } };
}

export function barsOf(windows: Window[]): DerivedBar[] {
  return windows.flatMap((window) => window.bar ?? []);
}

/** Cuts the windows of an asset at the cursors that it has at `now`. `minuteCursor` only for a synthetic series. */
export function expectAt(
  minutes: Bar[],
  { windows }: Aggregate,
  rules: AssetRules,
  delaySeconds: Record<"5m" | "1h", number>,
  now: number,
  minuteCursor?: number,
): Expectation {
  const fiveMinuteCursor = cursorAfterCatchup({
    timeframe: "5m",
    startUtc: rules.startUtc,
    delaySeconds: delaySeconds["5m"],
    now,
    sourceTimes: minutes.map((bar) => bar.ts),
    ...(minuteCursor !== undefined && { sourceCursor: { cursor: minuteCursor, length: LENGTH["1m"] } }),
  });
  const fiveMinutes = barsOf(windows["5m"]).filter((bar) => bar.ts <= fiveMinuteCursor);
  const hourCursor = cursorAfterCatchup({
    timeframe: "1h",
    startUtc: rules.startUtc,
    delaySeconds: delaySeconds["1h"],
    now,
    sourceTimes: fiveMinutes.map((bar) => bar.ts),
    sourceCursor: { cursor: fiveMinuteCursor, length: LENGTH["5m"] },
  });
  return {
    bars: { "5m": fiveMinutes, "1h": barsOf(windows["1h"]).filter((bar) => bar.ts <= hourCursor) },
    cursors: { "5m": fiveMinuteCursor, "1h": hourCursor },
  };
}
