import type { Database } from "../../scripts/lib/database.ts";
import { readValue } from "./dispatch.ts";

export interface Market {
  /** The minute before which the bars end: that of the load. */
  readonly end: Date;
  /** How many 1m bars DXY has: about the 11,839 that the documents speak of. */
  readonly minutes: number;
}

/**
 * Registers what the documents name, and loads its minutes: eight days up to 13 January 2026 14:00, and from two whole hours
 * ago on. After each the dispatcher runs, as it does each minute.
 */
export async function loadMarket(db: Database): Promise<Market> {
  await db.exec(`
    insert into core_asset_registry_all (canonical_symbol, asset_class, active, metadata)
    values
      ('EURUSD', 'fx', true, '{}'), ('USDJPY', 'fx', true, '{}'), ('GBPUSD', 'fx', true, '{}'), ('USDCAD', 'fx', true, '{}'),
      ('USDSEK', 'fx', true, '{}'), ('USDCHF', 'fx', true, '{}'), ('GOLD', 'metal', true, '{}'),
      ('BITCOIN', 'crypto', true, '{"agg": {"optional": ["15m"]}}'), ('OLDCOIN', 'crypto', false, '{}');
  `);
  const eightDays = 11_700;
  await loadMinutes(db, new Date("2026-01-13T14:00:00Z"), eightDays);
  const end = await readValue<Date>(db, "select date_trunc('minute', now())");
  const recent = 120 + end.getUTCMinutes();
  await loadMinutes(db, end, recent);
  return { end, minutes: eightDays + recent };
}

/** Loads the last `count` minutes before `end`, and runs the dispatcher. */
async function loadMinutes(db: Database, end: Date, count: number): Promise<void> {
  await db.query(
    `insert into data_bars (canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, source)
     select
       p.symbol, '1m', m.ts_utc, w.open, greatest(w.open, w.close), least(w.open, w.close), w.close, 10, (w.open + w.close) / 2, 3,
       'massive_api'
     from (
       values
         ('EURUSD', 1.0871, 1), ('USDJPY', 157.3, 2), ('GBPUSD', 1.2345, 3), ('USDCAD', 1.39, 4), ('USDSEK', 10.3, 5),
         ('USDCHF', 0.91, 6), ('GOLD', 2650, 7), ('BITCOIN', 94000, 8)
     ) as p (symbol, price, phase)
     cross join generate_series(1, $2::integer) as n (back)
     cross join lateral (select $1::timestamptz - n.back * interval '1 minute') as m (ts_utc)
     cross join lateral (
       select
         p.price * (1 + 0.004 * sin(extract(epoch from m.ts_utc) / 20000 + p.phase)),
         p.price * (1 + 0.004 * sin(extract(epoch from m.ts_utc) / 20000 + p.phase + 0.003))
     ) as w (open, close)`,
    [end, count],
  );
  await db.query("select agg_run_due()");
}

/** Runs `work` in a transaction that keeps nothing. */
export async function rolledBack(db: Database, work: () => Promise<void>): Promise<void> {
  await db.exec("begin");
  try {
    await work();
  } finally {
    await db.exec("rollback");
  }
}
