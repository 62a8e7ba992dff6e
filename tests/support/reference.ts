import assert from "node:assert/strict";
import { type Aggregate, barsOf, expectAt, LENGTH } from "../../model/aggregator.ts";
import type { Asset } from "../../model/histories.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { readDerived } from "./bars.ts";

/** An asset with all its windows, whatever the clock says. */
export type Reference = Asset & Aggregate;

export type Cursors = Map<string, number>;

/**
 * Every cursor is on its grid, not behind where it was, not beyond a frontier, and has behind it all bars that can be
 * made of its windows and no other. Returns the cursors.
 */
export async function checkCursors(db: Database, assets: Reference[], now: number, before: Cursors): Promise<Cursors> {
  const rows = await db.query<{ symbol: string; timeframe: "5m" | "1h"; cursor: number; bars: number }>(
    `select s.canonical_symbol as symbol, s.timeframe, (extract(epoch from s.last_agg_bar_ts_utc) * 1000)::bigint as cursor,
       (
         select count(*) from public.derived_data_bars as d
         where d.canonical_symbol = s.canonical_symbol and d.timeframe = s.timeframe
           and d.ts_utc <= s.last_agg_bar_ts_utc and d.deleted_at is null
       ) as bars
     from public.data_agg_state as s`,
  );
  const cursors: Cursors = new Map(rows.map((row) => [`${row.symbol} ${row.timeframe}`, row.cursor]));
  assert.equal(cursors.size, 2 * assets.length);
  for (const { symbol, timeframe, cursor, bars } of rows) {
    const asset = assets.find((asset) => asset.symbol === symbol)!;
    const task = `${symbol} ${timeframe} at ${new Date(now).toISOString()}`;
    const frontier = expectArrived(asset, now).cursors[timeframe];
    assert.equal(cursor % LENGTH[timeframe], 0, `${task}: cursor is off its grid`);
    assert.ok(cursor >= (before.get(`${symbol} ${timeframe}`) ?? -Infinity), `${task}: cursor moved back`);
    assert.ok(cursor <= frontier, `${task}: cursor ${cursor} is beyond the frontier ${frontier}`);
    const expected = barsOf(asset.windows[timeframe]).filter((bar) => bar.ts <= cursor).length;
    assert.equal(bars, expected, `${task}: number of bars behind the cursor`);
  }
  for (const { symbol } of assets) {
    const hours = cursors.get(`${symbol} 1h`)! + LENGTH["1h"];
    const decided = cursors.get(`${symbol} 5m`)! + LENGTH["5m"];
    const moved = before.size > 0 && cursors.get(`${symbol} 1h`) !== before.get(`${symbol} 1h`);
    assert.ok(!moved || hours <= decided, `${symbol}: the hours outran their source`);
  }
  return cursors;
}

function expectArrived(asset: Reference, now: number) {
  const arrived = asset.minutes.filter((_, index) => asset.arrivals[index]! <= now);
  return expectAt(arrived, asset, asset.rules, asset.delaySeconds, now);
}

/** The tables hold exactly the bars and cursors of the reference. */
export async function compare(db: Database, asset: Reference, now: number): Promise<void> {
  const expected = expectArrived(asset, now);
  for (const timeframe of ["5m", "1h"] as const) {
    const [row] = await db.query<{ cursor: Date }>(
      "select s.last_agg_bar_ts_utc as cursor from public.data_agg_state as s where s.canonical_symbol = $1 and s.timeframe = $2",
      [asset.symbol, timeframe],
    );
    const task = `${asset.symbol} ${timeframe} at ${new Date(now).toISOString()}`;
    assert.equal(row!.cursor.toISOString(), new Date(expected.cursors[timeframe]).toISOString(), `${task}: cursor`);
    assert.deepEqual(await readDerived(db, asset.symbol, timeframe), expected.bars[timeframe], `${task}: bars`);
  }
}
