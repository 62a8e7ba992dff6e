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
  const day = Math.floor(ts / DAY);
  if (day !== lastDay) {
    lastDay = day;
    lastDate = new Date(ts).toISOString().slice(0, 11);
  }
  return lastDate + (TIMES[(ts - day * DAY) / MINUTE] ?? new Date(ts).toISOString().slice(11));
}

// Date takes a quarter of the time of an import. Bars of one day follow each other.
let lastDay = NaN;
let lastDate = "";
const TIMES = Array.from(
  { length: DAY / MINUTE },
  (_, minute) => `${new Date(minute * MINUTE).toISOString().slice(11, 19)}Z`,
);
