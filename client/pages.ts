import { type ApiResponse, unknownAnswer, unwrap } from "./answer.ts";
import type { Api } from "./api.ts";
import type { Tables } from "./database_types.ts";
import type { Range } from "./range.ts";
import { quote } from "./symbols.ts";

/** Bars that one request asks for. A project answers with at most 1,000 rows by default. */
export const PAGE = 1000;

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
  "is_partial",
  "source",
] as const satisfies (keyof MinuteRow & keyof DerivedRow)[];
const DERIVED_COLUMNS = [...SHARED_COLUMNS, "quality_score"] as const satisfies (keyof DerivedRow)[];

type MinuteRow = Tables<"data_bars">;
type DerivedRow = Tables<"derived_data_bars">;

/** A bar as the Data API gives it. */
export type Row =
  & Pick<MinuteRow & DerivedRow, typeof SHARED_COLUMNS[number]>
  & Partial<Pick<DerivedRow, "quality_score">>;

/**
 * Reads the bars of some symbols, by time within each symbol. A page may end within a symbol; the rest of that symbol is
 * read before the next page. Throws a PgbarsError when a request fails.
 */
export async function* readGroup(
  call: string,
  api: Api,
  group: string[],
  timeframe: string,
  range: Range,
  signal: AbortSignal,
): AsyncGenerator<Row> {
  const read = async (symbols: string[], after?: string) =>
    readRows(call, await readPage(api, symbols, timeframe, range, after).abortSignal(signal));
  let remaining = group;
  while (remaining.length > 0) {
    const page = await read(remaining);
    yield* page;
    // A project may be set to answer with fewer rows than asked for, so only an empty page is the end.
    let last = page.at(-1);
    if (last === undefined) return;
    const seen = new Set(page.map((row) => row.canonical_symbol));
    remaining = remaining.filter((symbol) => !seen.has(symbol));
    while (last !== undefined) {
      const rest = await read([last.canonical_symbol], last.ts_utc);
      yield* rest;
      last = rest.at(-1);
    }
  }
}

/** The request for the first bars of some symbols, by symbol and time; where `after` is given, only the bars after it. */
function readPage(
  api: Api,
  symbols: string[],
  timeframe: string,
  { from, to }: Range,
  after?: string,
) {
  const selected = timeframe === "1m"
    ? api.from("data_bars").select(SHARED_COLUMNS.join())
    : api.from("derived_data_bars").select(DERIVED_COLUMNS.join()).is("deleted_at", null);
  const page = selected
    .filter("canonical_symbol", "in", `(${symbols.map(quote).join()})`)
    .eq("timeframe", timeframe)
    .lt("ts_utc", to);
  return (after === undefined ? page.gte("ts_utc", from) : page.gt("ts_utc", new Date(after).toISOString()))
    .order("canonical_symbol").order("ts_utc").limit(PAGE);
}

function readRows(call: string, response: ApiResponse<unknown>): Row[] {
  const rows = unwrap(call, response);
  if (!Array.isArray(rows)) throw unknownAnswer(call, "it is not a list");
  return rows;
}
