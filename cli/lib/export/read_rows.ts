import { type DataApi, describeAnswer, requestPatiently } from "../data_api.ts";
import { codeOf, openDatabase } from "../database.ts";
import { describeError } from "../error.ts";
import { Failure } from "../failure.ts";
import type { Target } from "../options.ts";
import type { Row, Selection } from "./row.ts";

/** Rows at a time. */
const PART = 10_000;
/** A project answers with at most 1,000 rows by default. */
const PAGE = 1_000;

/**
 * Reads bars, symbol by symbol in the given order, by time within each, a part at a time. Over a session all of them are of
 * one moment. Throws a {@link Failure} where the database cannot be asked.
 */
export async function* readRows(target: Target, selection: Selection): AsyncGenerator<Row[]> {
  if ("db" in target) yield* readFromDatabase(target.db, selection);
  else for (const symbol of selection.symbols) yield* readFromApi(target, symbol, selection);
}

interface DatabaseRow extends Omit<Row, "trade_count"> {
  trade_count: string | null;
}

async function* readFromDatabase(url: string, selection: Selection): AsyncGenerator<Row[]> {
  const { symbols, timeframe, from, to } = selection;
  const db = await openDatabase(url);
  try {
    await db.exec("begin isolation level repeatable read read only");
    for (const symbol of symbols) {
      const parts = db.readInParts<DatabaseRow>(
        `select b.canonical_symbol, b.timeframe, (extract(epoch from b.ts_utc) * 1000)::float8 as ts, b.open, b.high, b.low, b.close,
           b.vol, b.vwap, b.trade_count::text as trade_count, b.is_partial, ${
          isMinutes(timeframe) ? "null" : "b.quality_score"
        } as quality_score
         from public.${tableOf(timeframe)} as b
         where b.canonical_symbol = $1 and b.timeframe = $2
           and b.ts_utc >= coalesce($3::timestamptz, '-infinity') and b.ts_utc < coalesce($4::timestamptz, 'infinity')
           ${isMinutes(timeframe) ? "" : "and b.deleted_at is null"}
         order by b.ts_utc`,
        [symbol, timeframe, from ?? null, to ?? null],
        PART,
      );
      for await (const part of parts) yield part.map((row) => ({ ...row, trade_count: toBigInt(row.trade_count) }));
    }
  } catch (error) {
    if (codeOf(error) === "42P01") throw new Failure("The database has no tables of pgbars: install it first.");
    if (codeOf(error) === undefined) throw error;
    throw new Failure(describeError(error), { cause: error });
  } finally {
    await db.close();
  }
}

interface ApiRow extends Omit<Row, "ts" | "trade_count" | "quality_score"> {
  ts_utc: string;
  /** A count above 2^53 does not survive as a number of JSON. */
  trade_count: string | number | null;
  quality_score?: number;
}

async function* readFromApi(api: DataApi, symbol: string, selection: Selection): AsyncGenerator<Row[]> {
  const { timeframe, from, to } = selection;
  const columns = "canonical_symbol,timeframe,ts_utc,open,high,low,close,vol,vwap,trade_count::text,is_partial";
  let after: string | undefined;
  while (true) {
    const query = new URLSearchParams({
      select: isMinutes(timeframe) ? columns : `${columns},quality_score`,
      canonical_symbol: `eq.${symbol}`,
      timeframe: `eq.${timeframe}`,
      order: "ts_utc",
      limit: String(PAGE),
      ...(isMinutes(timeframe) ? {} : { deleted_at: "is.null" }),
    });
    if (after !== undefined) query.append("ts_utc", `gt.${after}`);
    else if (from !== undefined) query.append("ts_utc", `gte.${from}`);
    if (to !== undefined) query.append("ts_utc", `lt.${to}`);
    const answer = await requestPatiently(api, `${tableOf(timeframe)}?${query}`);
    if (!Array.isArray(answer.value)) throw new Failure(`Reading bars failed with ${describeAnswer(answer)}`);
    const rows = (answer.value as ApiRow[]).map(({ ts_utc, trade_count, quality_score = null, ...row }): Row => ({
      ...row,
      ts: Date.parse(ts_utc),
      trade_count: toBigInt(trade_count),
      quality_score,
    }));
    // A project may be set to answer with fewer rows than asked for, so only an empty page is the end.
    if (rows.length === 0) return;
    yield rows;
    after = new Date(rows.at(-1)!.ts).toISOString();
  }
}

function tableOf(timeframe: string): string {
  return isMinutes(timeframe) ? "data_bars" : "derived_data_bars";
}

function isMinutes(timeframe: string): boolean {
  return timeframe === "1m";
}

function toBigInt(count: string | number | null): bigint | null {
  return count === null ? null : BigInt(count);
}
