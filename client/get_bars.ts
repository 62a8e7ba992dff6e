import { unknownAnswer, unwrap } from "./answer.ts";
import type { Api } from "./api.ts";
import { type Bar, readSymbols, type Timeframe } from "./bars.ts";
import type { Database } from "./database_types.ts";
import { PAGE } from "./pages.ts";
import { type Instant, readInstant } from "./range.ts";
import { show } from "./values.ts";

const CALL = "getBars";

/** Either `from` or `last` says where the bars begin. */
export interface GetBarsQuery {
  /** `canonical_symbol`s. One that is not known has no bars; one that is given twice is read once. */
  symbols: readonly string[];
  timeframe: Timeframe;
  /** Start of the first window. */
  from?: Instant;
  /** The end: windows that start here or later are left out. Without it, to the last bar. */
  to?: Instant;
  /** The latest so many bars of each symbol, before `to` where that is given. */
  last?: number;
  /** Also windows without a bar in which the market is open, with the last close as all prices and a volume of 0. */
  fill?: boolean;
  /** Also the window that is not decided yet, from the minutes so far. */
  forming?: boolean;
  /** The bars as a reader saw them at that time, before later corrections. Not of `1m`, and not with `forming`. */
  asOf?: Instant;
}

/** A bar as the database's function `get_bars` gives it. */
export interface ReadBar extends Omit<Bar, "source"> {
  /** Minutes of the window that have a 1m bar; 0 where it was filled. */
  covered_minutes: number;
  /** Minutes of the window in which the market is open; null where it was filled or is not decided yet. */
  expected_minutes: number | null;
  /** The window has no bar: its prices are the last close. */
  is_filled: boolean;
  /** The window is not decided yet. */
  is_forming: boolean;
  /** Since when the bar is so; null where it was filled. */
  updated_at: Date | null;
}

type Arguments = Database["public"]["Functions"]["get_bars"]["Args"];
type Row = Database["public"]["Functions"]["get_bars"]["Returns"][number];

/**
 * Reads bars through the database's function `get_bars`, in the order of `symbols`, by time within each symbol, page by
 * page. Throws a TypeError or RangeError for arguments that do not make sense, and a PgbarsError when a request failed.
 */
export async function getBars(api: Api, query: GetBarsQuery): Promise<ReadBar[]> {
  const { symbols, last, ...args } = readQuery(query);
  if (symbols.length === 0) return [];
  const bars = new Map<string, ReadBar[]>(symbols.map((symbol) => [symbol, []]));
  let left = last === undefined ? Infinity : last * symbols.length;
  let after: Row | undefined;
  do {
    const page: Row[] = readRows(
      unwrap(
        CALL,
        await api.rpc("get_bars", {
          ...args,
          p_symbols: symbols,
          p_limit: last ?? PAGE,
          ...(after && { p_after: { canonical_symbol: after.canonical_symbol, ts_utc: after.ts_utc } }),
        }).limit(PAGE),
      ),
    );
    for (const row of page) bars.get(row.canonical_symbol)?.push(toBar(row));
    // A project may be set to answer with fewer rows than asked for, so only an empty page is the end.
    after = page.at(-1);
    left -= page.length;
  } while (after !== undefined && left > 0);
  return [...bars.values()].flat();
}

function readQuery(
  query: GetBarsQuery,
): Omit<Arguments, "p_symbols" | "p_limit"> & { symbols: string[]; last?: number } {
  if (typeof query !== "object" || query === null) {
    throw new TypeError(`${CALL}: the query must be an object, not ${show(query)}`);
  }
  const { timeframe, from, to, last, fill, forming, asOf } = query;
  const symbols = readSymbols(CALL, query.symbols);
  if (typeof timeframe !== "string") {
    throw new TypeError(`${CALL}: timeframe must be text such as "1m", "4h" or "1w", not ${show(timeframe)}`);
  }
  if ((from === undefined) === (last === undefined)) throw new TypeError(`${CALL}: give either from or last`);
  if (last !== undefined && !(Number.isInteger(last) && last > 0)) {
    throw new RangeError(`${CALL}: last must be a whole number above 0, not ${show(last)}`);
  }
  const [start, end] = [from && readInstant(`${CALL}: from`, from), to && readInstant(`${CALL}: to`, to)];
  if (start && end && start >= end) throw new RangeError(`${CALL}: from (${start}) must be before to (${end})`);
  return {
    symbols,
    ...(last !== undefined && { last }),
    p_timeframe: timeframe,
    ...(start && { p_from: start }),
    ...(end && { p_to: end }),
    ...(fill !== undefined && { p_fill: fill }),
    ...(forming !== undefined && { p_forming: forming }),
    ...(asOf !== undefined && { p_as_of: readInstant(`${CALL}: asOf`, asOf) }),
  };
}

function readRows(answer: unknown): Row[] {
  if (!Array.isArray(answer)) throw unknownAnswer(CALL, "it is not a list");
  return answer;
}

function toBar({ ts_utc, updated_at, ...row }: Row): ReadBar {
  return { ...row, ts_utc: new Date(ts_utc), updated_at: updated_at === null ? null : new Date(updated_at) };
}
