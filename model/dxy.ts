import type { Bar } from "./aggregator.ts";
import { basketMinute } from "./basket.ts";

/** The formula of the index: base and the exponent of each pair. */
const BASE = 50.14348112;
export const WEIGHTS = {
  EURUSD: -0.576,
  USDJPY: 0.136,
  GBPUSD: -0.119,
  USDCAD: 0.091,
  USDSEK: 0.042,
  USDCHF: 0.036,
};

export type Pair = keyof typeof WEIGHTS;
export const PAIRS = Object.keys(WEIGHTS) as Pair[];

/** Open and close of the index at a minute, not rounded, or null where a pair is missing or not positive. */
export function dollarMinute(bars: Partial<Record<Pair, Bar>>): { open: number; close: number } | null {
  return basketMinute({ base: BASE, weights: WEIGHTS }, bars);
}
