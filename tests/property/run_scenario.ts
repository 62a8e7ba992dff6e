import assert from "node:assert/strict";
import type { Database } from "../../scripts/lib/database.ts";
import { insertMinutes, readDerived } from "../support/bars.ts";
import { clearEngine } from "../support/engine.ts";
import { type Aggregate, aggregate, barsOf, expectAt, LENGTH } from "./aggregator.ts";
import { act, registerAssets, runBatches, runUntilIdle, workOff } from "./drivers.ts";
import { type Asset, describeAsset, ORIGIN } from "./histories.ts";
import { noise } from "./noise.ts";
import type { Scenario } from "./scenarios.ts";

/** An asset with all its windows, whatever the clock says. */
export type Reference = Asset & Aggregate;

/** Longest time that a task waits before it is due again: an hour, for data or after a failure. */
const LONGEST_WAIT = 61 * 60_000;

/** Plays a scenario in an emptied database and compares every cursor and bar with the reference, during and after it. */
export async function playScenario(db: Database, scenario: Scenario): Promise<{ assets: Reference[]; end: number }> {
  await clearEngine(db);
  const assets = scenario.assets.map((sketch, index) => {
    const asset = describeAsset(sketch, `S${index}`);
    return { ...asset, ...aggregate(asset.minutes, asset.rules) };
  });
  await registerAssets(db, assets);

  let now = ORIGIN + scenario.clockStart * 1000;
  let cursors = await checkCursors(db, assets, now, new Map());
  let arrivedUntil = -Infinity;
  const arrive = async (until: number) => {
    for (const asset of assets) await insertArrivals(db, asset, arrivedUntil, until, scenario.insertSeed);
    arrivedUntil = until;
  };
  await arrive(ORIGIN - 86_400_000);
  for (const { advance, action } of scenario.steps) {
    now += advance * 1000;
    await arrive(now);
    await act(db, action, assets, new Date(now));
    cursors = await checkCursors(db, assets, now, cursors);
  }

  now = edgeAfter(now + LONGEST_WAIT + scenario.last.advance * 1000, scenario.last.edge, assets[0]!);
  await arrive(now);
  await finish(db, scenario.last, assets, new Date(now));
  await checkCursors(db, assets, now, cursors);
  for (const asset of assets) await compare(db, asset, now);
  return { assets, end: now };
}

/** The first instant at or after `now` that ends the delay of a window of that timeframe; `now` for no timeframe. */
function edgeAfter(now: number, timeframe: "5m" | "1h" | null, { delaySeconds }: Asset): number {
  if (timeframe === null) return now;
  const delay = delaySeconds[timeframe] * 1000;
  return Math.ceil((now - delay) / LENGTH[timeframe]) * LENGTH[timeframe] + delay;
}

async function insertArrivals(db: Database, asset: Asset, after: number, until: number, seed: number) {
  const bars = asset.minutes.filter((_, index) => {
    const arrival = asset.arrivals[index]!;
    return (after < arrival || after === -Infinity) && arrival <= until;
  });
  bars.sort((a, b) => noise(seed, a.ts) - noise(seed, b.ts));
  await insertMinutes(db, asset.symbol, bars);
}

async function finish(db: Database, last: Scenario["last"], assets: Asset[], now: Date): Promise<void> {
  switch (last.by) {
    case "batches":
      return await runBatches(db, last, now);
    case "run":
      return await runUntilIdle(db, last, now);
    case "worker":
      return await workOff(db, assets, last.batchWindows, now);
  }
}

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
