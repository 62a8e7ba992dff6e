import type { Api } from "./api.ts";
import { forEachAtOnce } from "./at_once.ts";
import { PAGE, readGroup, type Row } from "./pages.ts";
import { type Instant, readRange } from "./range.ts";
import { groupSymbols } from "./symbols.ts";
import { isStorable, show } from "./values.ts";

/** The timeframes that a database has from the start. It may have more: they are rows of its table `agg.timeframe`. */
export const TIMEFRAMES = ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"] as const;

/** A number of minutes, hours, days or weeks. A timeframe that is not built for a symbol has no bars. */
export type Timeframe = typeof TIMEFRAMES[number] | (string & Record<never, never>);

/** One bar of any timeframe. */
export interface Bar {
  canonical_symbol: string;
  timeframe: string;
  /** Start of the bar's window, in UTC. */
  ts_utc: Date;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Null where unknown, as are `vwap` and `trade_count`. */
  vol: number | null;
  vwap: number | null;
  trade_count: number | null;
  /** Coverage of the window: 2 excellent, 1 good, 0 poor. Null for 1m. */
  quality_score: number | null;
  /** Whether the source called this 1m bar, or a minute in this longer bar, unfinished. */
  is_partial: boolean;
  /** Origin of the bar: `ingest`, `massive_api`, `synthetic` or `aggregated`. */
  source: string;
}

export interface MinuteQuery {
  /** `canonical_symbol`s. One that is not known has no bars; one that is given twice is read once. */
  symbols: readonly string[];
  /** Start of the first window. */
  from: Instant;
  /** The end: windows that start here or later are left out. */
  to: Instant;
}

export interface BarQuery extends MinuteQuery {
  timeframe: Timeframe;
}

/** Pages of bars that a group of symbols can have at most: the database may sort all of them for each page. */
const GROUP_PAGES = 10;

/** Groups that are read at a time. */
const GROUPS_AT_ONCE = 4;

/**
 * Reads every bar whose window starts in [from, to), in the order of `symbols`, by time within each symbol. Bars come page
 * by page, several groups of symbols at a time. Each page starts after the last bar of the page before, so that a bar that
 * is written meanwhile neither doubles nor hides others; it may be in the result or not. Throws a TypeError or RangeError
 * for arguments that do not make sense, and a PgbarsError when a request failed.
 */
export async function fetchBars(api: Api, query: BarQuery, call = "fetchBars"): Promise<Bar[]> {
  if (typeof query !== "object" || query === null) {
    throw new TypeError(`${call}: the query must be an object, not ${show(query)}`);
  }
  const { timeframe } = query;
  const symbols = readSymbols(call, query.symbols);
  const interval = readInterval(call, timeframe);
  const range = readRange(call, query.from, query.to);
  const windows = Math.ceil((Date.parse(range.to) - Date.parse(range.from)) / interval);
  const groups = groupSymbols(symbols, Math.max(1, Math.floor(GROUP_PAGES * PAGE / windows)));
  const bars = new Map<string, Bar[]>(symbols.map((symbol) => [symbol, []]));
  await forEachAtOnce(groups, GROUPS_AT_ONCE, async (group, signal) => {
    for await (const row of readGroup(call, api, group, timeframe, range, signal)) {
      bars.get(row.canonical_symbol)?.push(toBar(row));
    }
  });
  return [...bars.values()].flat();
}

/** The symbols that can have bars, each once. Throws a TypeError unless they are an array of strings. */
export function readSymbols(call: string, symbols: unknown): string[] {
  if (!Array.isArray(symbols)) {
    throw new TypeError(`${call}: symbols must be an array of strings, not ${show(symbols)}`);
  }
  for (const symbol of symbols) {
    if (typeof symbol !== "string") {
      throw new TypeError(`${call}: symbols must be an array of strings, and ${show(symbol)} is not one`);
    }
  }
  return [...new Set<string>(symbols)].filter(isStorable);
}

function toBar({ ts_utc, quality_score, ...row }: Row): Bar {
  return { ...row, ts_utc: new Date(ts_utc), quality_score: quality_score ?? null };
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Length of a timeframe in milliseconds. Throws a TypeError for text that is not one. */
export function readInterval(call: string, timeframe: string): number {
  const [, count, unit] = /^([1-9]\d{0,3})([mhdw])$/.exec(timeframe) ?? [];
  if (count === undefined) {
    throw new TypeError(`${call}: timeframe must be text such as "1m", "4h" or "1w", not ${show(timeframe)}`);
  }
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
