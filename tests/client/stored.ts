import assert from "node:assert/strict";
import type { Bar } from "../../client/mod.ts";
import type { Database } from "../../scripts/lib/database.ts";

/** Stores `count` minutes of a symbol from `start` on, whose prices tell them apart. */
export async function storeMinutes(db: Database, symbol: string, start: string, count: number): Promise<void> {
  await db.query(
    `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
     select $1, $2::timestamptz + m * interval '1 minute', 1 + m, 2 + m, 0.5, 1.1 + m, m, null, m
     from generate_series(0, $3::integer - 1) as m`,
    [symbol, start, count],
  );
}

/** Stores five-minute bars of a symbol of every quality from `start` on, past the window rule; `deleted` says which do not live. */
export async function storeDerived(db: Database, symbol: string, start: string, deleted: boolean[]): Promise<void> {
  await db.query(
    `insert into public.derived_data_bars (
       canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles,
       covered_minutes, expected_minutes, quality_score, deleted_at
     )
     select
       $1, '5m', $2::timestamptz + (d.nr - 1) * interval '5 minutes', d.nr, d.nr, d.nr, d.nr, '1m', 5, 5, 5, 5, (d.nr - 1) % 3,
       case when d.is_deleted then now() end
     from unnest($3::boolean[]) with ordinality as d (is_deleted, nr)`,
    [symbol, start, deleted],
  );
}

/** The live bars of a symbol with start in [from, to), as a client is to get them. */
export async function readStored(
  db: Database,
  { symbol, timeframe, from, to }: { symbol: string; timeframe: string; from: string; to: string },
): Promise<Bar[]> {
  return await db.query<Bar>(
    `select b.canonical_symbol, b.timeframe, b.ts_utc, b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count,
       b.source, null::integer as quality_score, b.is_partial
     from public.data_bars as b
     where b.canonical_symbol = $1 and b.timeframe = $2 and b.ts_utc >= $3 and b.ts_utc < $4
     union all
     select d.canonical_symbol, d.timeframe, d.ts_utc, d.open, d.high, d.low, d.close, d.vol, d.vwap, d.trade_count,
       d.source, d.quality_score, d.is_partial
     from public.derived_data_bars as d
     where d.canonical_symbol = $1 and d.timeframe = $2 and d.ts_utc >= $3 and d.ts_utc < $4 and d.deleted_at is null
     order by 3`,
    [symbol, timeframe, from, to],
  );
}

/** Fails with the first bar that differs: a whole diff of thousands of bars would take minutes. */
export function assertSameBars(actual: Bar[], expected: Bar[]): void {
  for (const [place, bar] of expected.entries()) assert.deepEqual(actual[place], bar);
  assert.equal(actual.length, expected.length);
}
