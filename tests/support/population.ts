import { aggregate, barsOf, LENGTH, MINUTE } from "../../model/aggregator.ts";
import { describeAsset, ORIGIN, PLAIN } from "../../model/histories.ts";
import { noise } from "../../model/noise.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { registerAssets } from "./assets.ts";
import { insertMinutes } from "./bars.ts";
import type { Reference } from "./reference.ts";

const DELAY_SECONDS = PLAIN.delaySeconds["5m"];

/**
 * `count` assets S000, S001, ... with `hours` hours of 1m bars, in which here and there some are missing, but not at the
 * end: all windows can be decided.
 */
export function makePopulation(count: number, hours: number): Reference[] {
  return Array.from({ length: count }, (_, index) => makeAsset(`S${String(index).padStart(3, "0")}`, hours, index));
}

/** One asset of a population. */
export function makeAsset(symbol: string, hours: number, seed: number): Reference {
  const masks = Array.from(
    { length: hours * 12 },
    (_, index) => noise(seed, index) < 0.85 || index === hours * 12 - 1 ? 31 : Math.floor(noise(seed, index, 1) * 32),
  );
  const asset = describeAsset({ ...PLAIN, segments: [{ gapMinutes: 0, masks, stepMinutes: 5 }], seed }, symbol);
  return { ...asset, ...aggregate(asset.minutes, asset.rules, asset.timeframes) };
}

/** Registers the assets and inserts their bars. */
export async function loadPopulation(db: Database, assets: Reference[]): Promise<void> {
  await registerAssets(db, assets);
  for (const { symbol, minutes } of assets) await insertMinutes(db, symbol, minutes);
}

/** The instant at which all windows of the first `hours` hours may be decided. */
export function clockAfter(hours: number): Date {
  return new Date(ORIGIN + hours * LENGTH["1h"] + DELAY_SECONDS * 1000);
}

export function addMinutes(instant: Date, minutes: number): Date {
  return new Date(instant.getTime() + minutes * MINUTE);
}

/** How many derived bars the assets have when everything is decided. */
export function countBars(assets: Reference[]): number {
  return assets.flatMap(({ windows, timeframes }) => timeframes.flatMap((timeframe) => barsOf(windows[timeframe])))
    .length;
}
