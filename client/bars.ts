import type { Api } from "./api.ts";
import type { Tables } from "./database_types.ts";
import { unknownAnswer } from "./answer.ts";
import { type ApiResponse, unwrap } from "./error.ts";
import { type Instant, type Range, readRange } from "./range.ts";
import { groupSymbols, quote } from "./symbols.ts";

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

/** How many bars one request asks for; a project gives 1,000 at most unless it is set to give fewer. */
const PAGE = 1000;

const SHARED_COLUMNS = [
  "canonical_symbol",
  "timeframe",
  "ts_utc",
  "open",
  "high",
  "low",
  "close",
  "vol",
  "vwap",
  "trade_count",
  "source",
] as const satisfies (keyof MinuteRow & keyof DerivedRow)[];
const MINUTE_COLUMNS = [...SHARED_COLUMNS, "is_partial"] as const satisfies (keyof MinuteRow)[];
const DERIVED_COLUMNS = [...SHARED_COLUMNS, "quality_score"] as const satisfies (keyof DerivedRow)[];

type MinuteRow = Tables<"data_bars">;
type DerivedRow = Tables<"derived_data_bars">;
type Row =
  & Pick<MinuteRow & DerivedRow, typeof SHARED_COLUMNS[number]>
  & Partial<Pick<MinuteRow, "is_partial"> & Pick<DerivedRow, "quality_score">>;

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

/** Bars of some symbols, by time within each. A symbol that a page ends with is read to its end before the next page. */
async function* readGroup(
  call: string,
  api: Api,
  group: string[],
  timeframe: string,
  range: Range,
): AsyncGenerator<Row> {
  let remaining = group;
  while (remaining.length > 0) {
    const page = readRows(call, await readPage(api, remaining, timeframe, range));
    yield* page;
    // A page may be short because the project gives fewer rows than asked for: only an empty one is the end.
    let last = page.at(-1);
    if (last === undefined) return;
    const seen = new Set(page.map((row) => row.canonical_symbol));
    remaining = remaining.filter((symbol) => !seen.has(symbol));
    while (last !== undefined) {
      const rest = readRows(call, await readPage(api, [last.canonical_symbol], timeframe, range, last.ts_utc));
      yield* rest;
      last = rest.at(-1);
    }
  }
}

/** The first bars of some symbols, by symbol and time; only those after an instant where one is given. */
function readPage(
  api: Api,
  symbols: string[],
  timeframe: string,
  { from, to }: Range,
  after?: string,
): PromiseLike<ApiResponse<Row[]>> {
  const selected = timeframe === "1m"
    ? api.from("data_bars").select(MINUTE_COLUMNS.join())
    : api.from("derived_data_bars").select(DERIVED_COLUMNS.join()).is("deleted_at", null);
  const page = selected
    .filter("canonical_symbol", "in", `(${symbols.map(quote).join()})`)
    .eq("timeframe", timeframe)
    .lt("ts_utc", to);
  return (after === undefined ? page.gte("ts_utc", from) : page.gt("ts_utc", new Date(after).toISOString()))
    .order("canonical_symbol").order("ts_utc").limit(PAGE).overrideTypes<Row[], { merge: false }>();
}

function readRows(call: string, response: ApiResponse<Row[]>): Row[] {
  const rows = unwrap(call, response);
  if (!Array.isArray(rows)) throw unknownAnswer(call, "it is no list");
  return rows;
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
