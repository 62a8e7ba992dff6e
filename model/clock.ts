// Every time is in milliseconds since 1970, UTC, unless it is a `PlainDateTime`: what a clock on the wall shows.

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** No clock has been set by as much as this at once in the zones and years that tests use. */
const LARGEST_CHANGE = 4 * HOUR;

/** From the first instant up to the second one, which is not part of it. */
export interface Span {
  from: number;
  to: number;
}

/** Windows that begin at `origin`, and at every multiple of `length` before and after it, on the wall clock of `timeZone`. */
export interface Grid {
  length: number;
  timeZone: string;
  origin: Temporal.PlainDateTime;
}

/**
 * The first instant at which the wall clock of `timeZone` shows `wall`. Where it never does, because it was set forward,
 * the instant that the offset before the change gives.
 */
export function instantOf(wall: Temporal.PlainDateTime, timeZone: string): number {
  return wall.toZonedDateTime(timeZone, { disambiguation: "compatible" }).epochMilliseconds;
}

/** What the wall clock of `timeZone` shows at `ts`. */
export function wallAt(ts: number, timeZone: string): Temporal.PlainDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ts).toZonedDateTimeISO(timeZone).toPlainDateTime();
}

/** The window that `ts` lies in: from the last boundary at or before it to the first one after it. */
export function windowAround(ts: number, { length, timeZone, origin }: Grid): Span {
  const shown = wallAt(ts, timeZone).since(origin, { largestUnit: "milliseconds" }).milliseconds;
  const near = Math.floor(shown / length);
  const reach = Math.ceil(LARGEST_CHANGE / length) + 1;
  let [from, to] = [-Infinity, Infinity];
  for (let index = near - reach; index <= near + reach; index++) {
    const boundary = instantOf(origin.add({ milliseconds: index * length }), timeZone);
    if (boundary <= ts) from = Math.max(from, boundary);
    else to = Math.min(to, boundary);
  }
  return { from, to };
}

/** The spans in order of time, with those that overlap or touch made one, and without empty ones. */
export function joinSpans(spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const { from, to } of spans.filter(({ from, to }) => from < to).sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** What of `spans`, which are in order of time, lies in `bounds`. */
export function clipSpans(spans: Span[], bounds: Span): Span[] {
  return spans.flatMap(({ from, to }) => {
    const clipped = { from: Math.max(from, bounds.from), to: Math.min(to, bounds.to) };
    return clipped.from < clipped.to ? [clipped] : [];
  });
}

export function lengthOf(spans: Span[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from, 0);
}
