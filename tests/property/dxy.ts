import type { Bar } from "./aggregator.ts";

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

/** The index for one rate of each pair, not rounded. */
export function dollarIndex(rates: Record<Pair, number>): number {
  return PAIRS.reduce((product, pair) => product * rates[pair] ** WEIGHTS[pair], BASE);
}

/** Open and close of the index at a minute, or null where a pair is missing or not positive. */
export function dollarMinute(bars: Partial<Record<Pair, Bar>>): { open: number; close: number } | null {
  const present = PAIRS.map((pair) => bars[pair]);
  if (!present.every((bar) => bar !== undefined && bar.open > 0 && bar.close > 0)) return null;
  const pick = (field: "open" | "close") =>
    dollarIndex(Object.fromEntries(PAIRS.map((pair) => [pair, bars[pair]![field]])) as Record<Pair, number>);
  return { open: pick("open"), close: pick("close") };
}
