import type { Api } from "./api.ts";
import { PAGE, readGroup, type Row } from "./pages.ts";
import { type Instant, readRange } from "./range.ts";
import { groupSymbols } from "./symbols.ts";

/** A number of minutes, hours or days. `5m` and `1h` are built; a timeframe that nobody builds has no bars. */
export type Timeframe = "1m" | "5m" | "1h" | (string & Record<never, never>);

/** One bar of any timeframe. */
export interface Bar {
  canonical_symbol: string;
  timeframe: string;
  /** Start of the bar's window. */
  ts_utc: Date;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Null where unknown, as are `vwap` and `trade_count`. */
  vol: number | null;
  vwap: number | null;
  trade_count: number | null;
  /** Coverage of the window: 2 excellent, 1 good, 0 poor. Null for 1m, which has none. */
  quality_score: number | null;
  /** Whether the source called the bar unfinished; only 1m bars can be. */
  is_partial: boolean;
  /** Where the bar comes from: `ingest`, `massive_api`, `synthetic` or `aggregated`. */
  source: string;
}

export interface MinuteQuery {
  /** `canonical_symbol`s; one that is not known has no bars, one that is there twice is asked for once. */
  symbols: readonly string[];
  /** Start of the first window. */
  from: Instant;
  /** Where windows do not start any more. */
  to: Instant;
}

export interface BarQuery extends MinuteQuery {
  timeframe: Timeframe;
}

/**
 * Every bar whose window starts in [from, to): symbols in the order asked for, by time within each. Bars are read a page
 * after the other, each page after the last bar of the one before: what is written meanwhile may be seen or not, and
 * neither doubles nor hides other bars. Throws a TypeError or RangeError for arguments that make no sense, a PgbarsError
 * when a request failed.
 */
export async function fetchBars(api: Api, query: BarQuery, call = "fetchBars"): Promise<Bar[]> {
  const { symbols, timeframe } = query;
  if (!Array.isArray(symbols) || symbols.some((symbol) => typeof symbol !== "string")) {
    throw new TypeError(`${call}: symbols must be an array of strings, not ${JSON.stringify(symbols)}`);
  }
  const interval = readInterval(call, timeframe);
  const range = readRange(call, query.from, query.to);
  const wanted = [...new Set(symbols)];
  const windows = Math.ceil((Date.parse(range.to) - Date.parse(range.from)) / interval);
  const bars = new Map<string, Bar[]>(wanted.map((symbol) => [symbol, []]));
  // Groups that fit into a page: of a longer one the database may sort everything for each page.
  for (const group of groupSymbols(wanted, Math.max(1, Math.floor(PAGE / windows)))) {
    for await (const row of readGroup(call, api, group, timeframe, range)) {
      bars.get(row.canonical_symbol)?.push(toBar(row));
    }
  }
  return [...bars.values()].flat();
}

function toBar({ ts_utc, quality_score, is_partial, ...row }: Row): Bar {
  return { ...row, ts_utc: new Date(ts_utc), quality_score: quality_score ?? null, is_partial: is_partial ?? false };
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Length of a timeframe in milliseconds. */
function readInterval(call: string, timeframe: string): number {
  const [, count, unit] = /^([1-9]\d{0,3})([mhd])$/.exec(timeframe) ?? [];
  if (count === undefined) {
    throw new TypeError(`${call}: timeframe must be such as "1m", "5m" or "1h", not ${JSON.stringify(timeframe)}`);
  }
  return Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
}
