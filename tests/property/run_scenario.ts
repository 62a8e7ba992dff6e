import { aggregate, type DerivedTimeframe, windowOf } from "../../model/aggregator.ts";
import { type Asset, describeAsset } from "../../model/histories.ts";
import { noise } from "../../model/noise.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { registerAssets } from "../support/assets.ts";
import { insertMinutes } from "../support/bars.ts";
import { clearEngine } from "../support/engine.ts";
import { checkCursors, compare, type Reference } from "../support/reference.ts";
import { act, runBatches, runUntilIdle, workOff } from "./drivers.ts";
import type { Scenario } from "./scenarios.ts";

/** Longest time that a task waits before it is due again: an hour, for data or after a failure. */
const LONGEST_WAIT = 61 * 60_000;

/** Plays a scenario in an emptied database and compares every cursor and bar with the reference, during and after it. */
export async function playScenario(db: Database, scenario: Scenario): Promise<{ assets: Reference[]; end: number }> {
  await clearEngine(db);
  const assets = scenario.assets.map((sketch, index) => {
    const asset = describeAsset(sketch, `S${index}`, scenario.origin);
    return { ...asset, ...aggregate(asset.minutes, asset.rules, asset.timeframes) };
  });
  await registerAssets(db, assets);

  let now = scenario.origin + scenario.clockStart * 1000;
  let cursors = await checkCursors(db, assets, now, new Map());
  let arrivedUntil = -Infinity;
  const arrive = async (until: number) => {
    for (const asset of assets) await insertArrivals(db, asset, arrivedUntil, until, scenario.insertSeed);
    arrivedUntil = until;
  };
  await arrive(scenario.origin - 86_400_000);
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
function edgeAfter(now: number, timeframe: DerivedTimeframe | null, { delaySeconds, rules }: Asset): number {
  if (timeframe === null) return now;
  const delay = delaySeconds[timeframe] * 1000;
  return windowOf(now - delay - 1, timeframe, rules).to + delay;
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
