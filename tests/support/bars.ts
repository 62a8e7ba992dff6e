import type { Bar, DerivedBar, DerivedTimeframe, Timeframe } from "../../model/aggregator.ts";
import type { Database } from "../../scripts/lib/database.ts";

/** Writes 1m bars of one symbol in the order given, in one statement. Times are milliseconds since 1970, UTC. */
export async function insertMinutes(db: Database, symbol: string, bars: Bar[]): Promise<void> {
  if (bars.length === 0) return;
  await db.query(
    `insert into public.data_bars
       (canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source)
     select
       $1, '1m', to_timestamp(b.ts / 1000.0), b.open, b.high, b.low, b.close, b.vol, b.vwap, b."tradeCount", b."isPartial", 'ingest'
     from jsonb_to_recordset($2::jsonb) as b (
       ts bigint, open float8, high float8, low float8, close float8, vol float8, vwap float8, "tradeCount" bigint,
       "isPartial" boolean
     )`,
    [symbol, JSON.stringify(bars)],
  );
}

const BAR_COLUMNS = `
  (extract(epoch from d.ts_utc) * 1000)::bigint as ts,
  d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count as "tradeCount", d.is_partial as "isPartial"`;

/** The 1m bars of a symbol in order of time. */
export async function readMinutes(db: Database, symbol: string): Promise<Bar[]> {
  return await db.query<Bar>(
    `select ${BAR_COLUMNS} from public.data_bars as d where d.canonical_symbol = $1 order by d.ts_utc`,
    [symbol],
  );
}

/** The live derived bars of a symbol in order of time. */
export async function readDerived(db: Database, symbol: string, timeframe: DerivedTimeframe): Promise<DerivedBar[]> {
  return await db.query<DerivedBar>(
    `select ${BAR_COLUMNS},
       d.source_candles as "sourceCandles", d.expected_candles as "expectedCandles",
       d.covered_minutes as "coveredMinutes", d.expected_minutes as "expectedMinutes", d.quality_score as quality
     from public.derived_data_bars as d
     where d.canonical_symbol = $1 and d.timeframe = $2 and d.deleted_at is null
     order by d.ts_utc`,
    [symbol, timeframe],
  );
}

/** Cursor of a task, in milliseconds since 1970. Rejects when there is no such task. */
export async function readCursor(db: Database, symbol: string, timeframe: Timeframe): Promise<number> {
  const [row] = await db.query<{ cursor: Date }>(
    `select s.last_agg_bar_ts_utc as cursor from public.data_agg_state as s
     where s.canonical_symbol = $1 and s.timeframe = $2`,
    [symbol, timeframe],
  );
  if (!row) throw new Error(`there is no task ${symbol} ${timeframe}`);
  return row.cursor.getTime();
}
