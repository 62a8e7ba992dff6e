/** One 1m bar on its way into the database. */
export interface Bar {
  symbol: string;
  /** Start of the minute, milliseconds since the epoch, UTC. */
  ts: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Null where unknown, as are vwap and tradeCount. */
  vol: number | null;
  vwap: number | null;
  tradeCount: number | null;
  /** Absent for false. */
  isPartial?: boolean;
  /** Where the bar was read; absent for generated bars. */
  origin?: Origin;
}

/** A place in an input file. `line` is the physical line, counted from 1; the header is line 1. */
export interface Origin {
  file: string;
  line: number;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The start of a minute as text: `2026-01-02T10:00:00Z`. */
export function formatMinute(ts: number): string {
  return new Date(ts).toISOString().replace(".000Z", "Z");
}
