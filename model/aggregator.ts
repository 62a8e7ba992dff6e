import { clipSpans, type Grid, HOUR, instantOf, lengthOf, MINUTE, type Span, wallAt, windowAround } from "./clock.ts";
import { type Calendar, closedTimes, openSpans, type Session } from "./session.ts";

// Written from the rules, not from the SQL that it is compared with. Bars of every timeframe are made of 1m bars alone,
// window by window. Every time is in milliseconds since 1970, UTC.

export { HOUR, MINUTE };
export const DAY = 24 * HOUR;

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
  isPartial: boolean;
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
  /** Zero for an asset of which any minute makes a bar. */
  poorPercent: number;
  session: Session | null;
  calendar: Calendar | null;
  dayClose: DayClose;
}

/** When the day closes, such as "17:00", on the wall clock of a zone. */
export interface DayClose {
  time: string;
  time_zone: string;
}

export const MIDNIGHT_UTC: DayClose = { time: "00:00", time_zone: "UTC" };

/** What holds when the registry says nothing. */
export function defaultRules(startUtc: number): AssetRules {
  return { startUtc, goodPercent: 80, poorPercent: 60, session: null, calendar: null, dayClose: MIDNIGHT_UTC };
}

export type Timeframe = "1m" | DerivedTimeframe;
export type DerivedTimeframe = typeof DERIVED[number];

/** From the shortest to the longest. */
export const DERIVED = ["5m", "15m", "30m", "1h", "4h", "1d", "1w"] as const;

/** The timeframes that every asset has, and those that it has on demand. */
export const MANDATORY = ["5m", "1h"] as const satisfies DerivedTimeframe[];
export const OPTIONAL = ["15m", "30m", "4h", "1d", "1w"] as const satisfies DerivedTimeframe[];

/** Seconds after its end from which a window may be decided, when nothing else is said. */
export const DEFAULT_DELAYS: Record<DerivedTimeframe, number> = {
  "5m": 300,
  "15m": 300,
  "30m": 300,
  "1h": 300,
  "4h": 300,
  "1d": 300,
  "1w": 300,
};

/** Lengths as the wall clock shows them. */
export const LENGTH: Record<Timeframe, number> = {
  "1m": MINUTE,
  "5m": 5 * MINUTE,
  "15m": 15 * MINUTE,
  "30m": 30 * MINUTE,
  "1h": HOUR,
  "4h": 4 * HOUR,
  "1d": DAY,
  "1w": 7 * DAY,
};

/** A window with open minutes that have a bar; `bar` is null when they are too few for one. */
export interface Window extends Span {
  /** The prices and sums of the minutes, whether they make a bar or not. */
  content: Omit<DerivedBar, "quality">;
  bar: DerivedBar | null;
}

const MONDAY = Temporal.PlainDate.from("2000-01-03");

const grids = new WeakMap<AssetRules, Map<DerivedTimeframe, Grid>>();

/** Which windows a timeframe longer than an hour has. Kept for the next call, since the week of a session takes a while. */
function gridOf(timeframe: DerivedTimeframe, rules: AssetRules): Grid {
  const known = grids.get(rules) ?? new Map<DerivedTimeframe, Grid>();
  grids.set(rules, known);
  const grid = known.get(timeframe) ?? makeGrid(timeframe, rules);
  known.set(timeframe, grid);
  return grid;
}

function makeGrid(timeframe: DerivedTimeframe, { session, dayClose }: AssetRules): Grid {
  const time = Temporal.PlainTime.from(dayClose.time);
  const day: Grid = {
    length: LENGTH[timeframe],
    timeZone: dayClose.time_zone,
    origin: MONDAY.toPlainDateTime(time),
  };
  if (timeframe !== "1w") return day;
  const firstSession = session && closedTimes(session)[0];
  if (!firstSession) return time.hour < 12 ? day : { ...day, origin: day.origin.subtract({ days: 1 }) };
  const opening = instantOf(MONDAY.toPlainDateTime().add({ minutes: firstSession.opens }), session.time_zone);
  const { from } = windowAround(opening, { ...day, length: DAY });
  return { ...day, origin: wallAt(from, day.timeZone) };
}

/** The window of `timeframe` that `ts` lies in. */
export function windowOf(ts: number, timeframe: Timeframe, rules: AssetRules): Span {
  const length = LENGTH[timeframe];
  if (length > HOUR) return windowAround(ts, gridOf(timeframe as DerivedTimeframe, rules));
  const from = Math.floor(ts / length) * length;
  return { from, to: from + length };
}

/** The first window that lies wholly at or after the start of aggregation. */
export function firstWindow(timeframe: Timeframe, rules: AssetRules): Span {
  const window = windowOf(rules.startUtc, timeframe, rules);
  return window.from === rules.startUtc ? window : windowOf(window.to, timeframe, rules);
}

/**
 * What bars of `timeframe` are made from in the database. Here it only decides what `sourceCandles` and `expectedCandles`
 * count, and how far a cursor can follow.
 */
export function sourceOf(timeframe: DerivedTimeframe, rules: AssetRules): "1m" | "5m" | "1h" {
  if (timeframe === "5m") return "1m";
  if (LENGTH[timeframe] <= HOUR) return "5m";
  return startsOnTheHour(rules.dayClose) ? "1h" : "5m";
}

const onTheHour = new Map<string, boolean>();

/** Whether the day always begins with an hour of UTC. Kept for the next call, since it looks at fifty years. */
function startsOnTheHour({ time, time_zone }: DayClose): boolean {
  const key = `${time} ${time_zone}`;
  const known = onTheHour.get(key);
  if (known !== undefined) return known;
  const days = Array.from({ length: 600 }, (_, months) => Temporal.PlainDate.from("1990-01-15").add({ months }));
  const answer = days.every((day) =>
    instantOf(day.toPlainDateTime(Temporal.PlainTime.from(time)), time_zone) % HOUR === 0
  );
  onTheHour.set(key, answer);
  return answer;
}

/** All windows of an asset that have minutes, in order of time, whatever the clock says. */
export interface Aggregate {
  windows: Record<DerivedTimeframe, Window[]>;
}

/** Makes the windows of the timeframes asked for, or of all. The minutes may come in any order. */
export function aggregate(
  minutes: Bar[],
  rules: AssetRules,
  timeframes: readonly DerivedTimeframe[] = DERIVED,
): Aggregate {
  const windows: Aggregate["windows"] = { "5m": [], "15m": [], "30m": [], "1h": [], "4h": [], "1d": [], "1w": [] };
  if (minutes.length === 0) return { windows };
  const sorted = [...minutes].sort((a, b) => a.ts - b.ts);
  const around = { from: sorted[0]!.ts - 15 * DAY, to: sorted.at(-1)!.ts + 15 * DAY };
  const open = openSpans(rules.session, rules.calendar, around);
  const bars = selectOpen(sorted, open);
  for (const timeframe of DERIVED) {
    const isSource = timeframe === "5m" || timeframe === "1h";
    if (!isSource && !timeframes.includes(timeframe)) continue;
    const source = sourceOf(timeframe, rules);
    const sourceStarts = source === "1m"
      ? bars.map(({ ts }) => ts)
      : windows[source].flatMap(({ bar }) => bar ? [bar.ts] : []);
    windows[timeframe] = groupByWindow(bars, timeframe, rules).map(([window, bars]) =>
      buildWindow(window, bars, open, sourceStarts, LENGTH[source], rules)
    );
  }
  return { windows };
}

/** The bars, which are in order of time, of minutes that begin in an open span. */
function selectOpen(bars: Bar[], open: Span[]): Bar[] {
  let index = 0;
  return bars.filter(({ ts }) => {
    while (index < open.length && open[index]!.to <= ts) index++;
    return index < open.length && open[index]!.from <= ts;
  });
}

function groupByWindow(bars: Bar[], timeframe: DerivedTimeframe, rules: AssetRules): [Span, Bar[]][] {
  const groups: [Span, Bar[]][] = [];
  for (const bar of bars) {
    const last = groups.at(-1);
    if (last && bar.ts < last[0].to) last[1].push(bar);
    else groups.push([windowOf(bar.ts, timeframe, rules), [bar]]);
  }
  return groups.filter(([window]) => window.from >= rules.startUtc);
}

function buildWindow(
  window: Span,
  bars: Bar[],
  open: Span[],
  sourceStarts: number[],
  sourceLength: number,
  rules: AssetRules,
): Window {
  const openHere = clipSpans(open, window);
  const expectedMinutes = lengthOf(openHere) / MINUTE;
  const coveredMinutes = bars.length;
  const weighted = bars.filter((bar) => bar.vwap !== null && bar.vol !== null && bar.vol > 0);
  const content = {
    ts: window.from,
    open: bars[0]!.open,
    high: Math.max(...bars.map((bar) => bar.high)),
    low: Math.min(...bars.map((bar) => bar.low)),
    close: bars.at(-1)!.close,
    vol: sum(bars.map((bar) => bar.vol)),
    vwap: weighted.length === 0
      ? null
      : sum(weighted.map((bar) => bar.vwap! * bar.vol!))! / sum(weighted.map((bar) => bar.vol))!,
    tradeCount: sum(bars.map((bar) => bar.tradeCount)),
    isPartial: bars.some((bar) => bar.isPartial),
    sourceCandles: countBefore(sourceStarts, window.to) - countBefore(sourceStarts, window.from),
    expectedCandles: countOpenWindows(window, openHere, sourceLength),
    coveredMinutes,
    expectedMinutes,
  };
  const quality = score(coveredMinutes, expectedMinutes, rules);
  return { ...window, content, bar: quality === null ? null : { ...content, quality } };
}

/** How many of the instants, which are in order, are before `ts`. */
function countBefore(instants: number[], ts: number): number {
  let [least, most] = [0, instants.length];
  while (least < most) {
    const middle = (least + most) >> 1;
    if (instants[middle]! < ts) least = middle + 1;
    else most = middle;
  }
  return least;
}

/** How many windows of `length`, one after the other from the start of `window` on, have an open instant. */
function countOpenWindows(window: Span, open: Span[], length: number): number {
  let count = 0;
  for (let from = window.from; from < window.to; from += length) {
    if (open.some((span) => span.from < from + length && from < span.to)) count++;
  }
  return count;
}

function score(covered: number, expected: number, rules: AssetRules): 0 | 1 | 2 | null {
  if (covered === expected) return 2;
  if (covered * 100 >= rules.goodPercent * expected) return 1;
  if (covered * 100 >= rules.poorPercent * expected) return 0;
  return null;
}

/** Null when every value is null. */
function sum(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value);
}

export function barsOf(windows: Window[]): DerivedBar[] {
  return windows.flatMap((window) => window.bar ?? []);
}

/** A task after catch-up: it has decided every window up to and with the one that starts at the cursor. */
export interface CursorQuestion {
  timeframe: Timeframe;
  rules: AssetRules;
  delaySeconds: number;
  /** The clock. A source bar that starts at or after it is not known yet. */
  now: number;
  /** Starts of the source bars, and of source windows whose minutes are too few for a bar. */
  sourceTimes: Iterable<number>;
  /** End of what the task that builds the source bars has decided, where there is one. */
  sourceDecidedTo?: number;
}

/**
 * Where the cursor stands after catch-up: windows are decided one after the other from the start of aggregation, while
 * they end in time for both frontiers and they, or a later one, have a source bar, or while the market is closed in them.
 */
export function cursorAfterCatchup(question: CursorQuestion): number {
  const { timeframe, rules, delaySeconds, now, sourceTimes, sourceDecidedTo = Infinity } = question;
  const first = firstWindow(timeframe, rules).from;
  let lastSource = -Infinity;
  for (const ts of sourceTimes) if (ts < now) lastSource = Math.max(lastSource, ts);
  const filledTo = lastSource < first ? first : windowOf(lastSource, timeframe, rules).to;
  const frontier = timeFrontier(timeframe, rules, delaySeconds, now);
  const decidedTo = Math.min(
    filledTo < frontier ? openingWindow(filledTo, frontier, timeframe, rules) : frontier,
    sourceDecidedTo === Infinity ? Infinity : windowOf(sourceDecidedTo, timeframe, rules).from,
  );
  return windowOf(Math.max(first, decidedTo) - 1, timeframe, rules).from;
}

/**
 * Where the windows end that time allows to decide: before the one under way, or the next one in which the market is
 * open. That is looked for two weeks ahead.
 */
export function timeFrontier(timeframe: Timeframe, rules: AssetRules, delaySeconds: number, now: number): number {
  const { from } = windowOf(now - delaySeconds * 1000, timeframe, rules);
  return openingWindow(from, from + 14 * DAY, timeframe, rules);
}

/** Start of the first window in which the market is open from `ts` on, or of that of `until`. */
function openingWindow(ts: number, until: number, timeframe: Timeframe, rules: AssetRules): number {
  const opens = openSpans(rules.session, rules.calendar, { from: ts, to: until })[0]?.from ?? until;
  return windowOf(opens, timeframe, rules).from;
}

/**
 * Where a cursor stands at least that may stand at `cursor`. Windows of a closed market may be decided ahead of the clock,
 * but no task runs for them alone before its next window has ended.
 */
export function leastCursor(
  cursor: number,
  timeframe: Timeframe,
  rules: AssetRules,
  delaySeconds: number,
  now: number,
): number {
  const { from } = windowOf(now - delaySeconds * 1000, timeframe, rules);
  return Math.min(cursor, windowOf(from - 1, timeframe, rules).from);
}

/** What the tables must hold for one asset once everything that can be decided at `now` is. */
export interface Expectation {
  bars: Record<DerivedTimeframe, DerivedBar[]>;
  cursors: Record<DerivedTimeframe, number>;
}

/** Cuts the windows of an asset at the cursors that it has at `now`. `minuteCursor` only for a synthetic series. */
export function expectAt(
  minutes: Bar[],
  { windows }: Aggregate,
  rules: AssetRules,
  delaySeconds: Record<DerivedTimeframe, number>,
  now: number,
  minuteCursor?: number,
): Expectation {
  const expected: Expectation = {
    bars: { "5m": [], "15m": [], "30m": [], "1h": [], "4h": [], "1d": [], "1w": [] },
    cursors: { "5m": NaN, "15m": NaN, "30m": NaN, "1h": NaN, "4h": NaN, "1d": NaN, "1w": NaN },
  };
  for (const timeframe of DERIVED) {
    const source = sourceOf(timeframe, rules);
    const sourceCursor = source === "1m" ? minuteCursor : expected.cursors[source];
    const cursor = cursorAfterCatchup({
      timeframe,
      rules,
      delaySeconds: delaySeconds[timeframe],
      now,
      sourceTimes: source === "1m"
        ? minutes.map(({ ts }) => ts)
        : windows[source].map(({ from }) => from).filter((ts) => ts <= expected.cursors[source]),
      ...(sourceCursor !== undefined && { sourceDecidedTo: sourceCursor + LENGTH[source] }),
    });
    expected.cursors[timeframe] = cursor;
    expected.bars[timeframe] = barsOf(windows[timeframe]).filter((bar) => bar.ts <= cursor);
  }
  return expected;
}
