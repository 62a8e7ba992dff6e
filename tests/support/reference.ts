import assert from "node:assert/strict";
import {
  type Aggregate,
  barsOf,
  type DerivedBar,
  type DerivedTimeframe,
  expectAt,
  leastCursor,
  LENGTH,
  sourceOf,
  windowOf,
} from "../../model/aggregator.ts";
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
  const rows = await db.query<{ symbol: string; timeframe: DerivedTimeframe; cursor: number; bars: number }>(
    `select s.canonical_symbol as symbol, s.timeframe, (extract(epoch from s.last_agg_bar_ts_utc) * 1000)::bigint as cursor,
       (
         select count(*) from public.derived_data_bars as d
         where d.canonical_symbol = s.canonical_symbol and d.timeframe = s.timeframe
           and d.ts_utc <= s.last_agg_bar_ts_utc and d.deleted_at is null
       ) as bars
     from public.data_agg_state as s`,
  );
  const cursors: Cursors = new Map(rows.map((row) => [`${row.symbol} ${row.timeframe}`, row.cursor]));
  assert.equal(cursors.size, assets.flatMap(({ timeframes }) => timeframes).length);
  for (const { symbol, timeframe, cursor, bars } of rows) {
    const asset = assets.find((asset) => asset.symbol === symbol)!;
    const task = `${symbol} ${timeframe} at ${new Date(now).toISOString()}`;
    const frontier = expectArrived(asset, now).cursors[timeframe];
    assert.equal(windowOf(cursor, timeframe, asset.rules).from, cursor, `${task}: cursor is off its grid`);
    assert.ok(cursor >= (before.get(`${symbol} ${timeframe}`) ?? -Infinity), `${task}: cursor moved back`);
    assert.ok(cursor <= frontier, `${task}: cursor ${cursor} is beyond the frontier ${frontier}`);
    const expected = barsOf(asset.windows[timeframe]).filter((bar) => bar.ts <= cursor).length;
    assert.equal(bars, expected, `${task}: number of bars behind the cursor`);
  }
  for (const { symbol, timeframe, cursor } of rows) {
    const { rules } = assets.find((asset) => asset.symbol === symbol)!;
    const source = sourceOf(timeframe, rules);
    if (source === "1m") continue;
    const { to } = windowOf(cursor, timeframe, rules);
    const decidedTo = cursors.get(`${symbol} ${source}`)! + LENGTH[source];
    const moved = before.size > 0 && cursor !== before.get(`${symbol} ${timeframe}`);
    assert.ok(!moved || to <= decidedTo, `${symbol}: ${timeframe} outran its source`);
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
  for (const timeframe of asset.timeframes) {
    const [row] = await db.query<{ cursor: Date }>(
      "select s.last_agg_bar_ts_utc as cursor from public.data_agg_state as s where s.canonical_symbol = $1 and s.timeframe = $2",
      [asset.symbol, timeframe],
    );
    const task = `${asset.symbol} ${timeframe} at ${new Date(now).toISOString()}`;
    const most = expected.cursors[timeframe];
    const least = leastCursor(most, timeframe, asset.rules, asset.delaySeconds[timeframe], now);
    const cursor = row!.cursor.getTime();
    assert.ok(
      least <= cursor && cursor <= most,
      `${task}: cursor ${row!.cursor.toISOString()} is not from ${new Date(least).toISOString()} to ${
        new Date(most).toISOString()
      }`,
    );
    assertBars(await readDerived(db, asset.symbol, timeframe), expected.bars[timeframe], task);
  }
}

/** How far a sum of doubles may be from another one of the same doubles in another order. */
const SUM_TOLERANCE = 1e-12;

/** The bars are equal in every column, sums up to rounding. */
export function assertBars(bars: DerivedBar[], expected: DerivedBar[], what: string): void {
  const wanted = new Map(expected.map((bar) => [bar.ts, bar]));
  const rounded = bars.map((bar) => ({
    ...bar,
    vol: nearOr(bar.vol, wanted.get(bar.ts)?.vol),
    vwap: nearOr(bar.vwap, wanted.get(bar.ts)?.vwap),
  }));
  assert.deepEqual(rounded, expected, `${what}: bars`);
}

/** The expected value where the value is as good as equal to it. */
function nearOr(value: number | null, expected: number | null | undefined): number | null {
  if (value === null || expected === null || expected === undefined) return value;
  return Math.abs(value - expected) <= SUM_TOLERANCE * Math.abs(expected) ? expected : value;
}
