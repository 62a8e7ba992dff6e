import type { Bar } from "./aggregator.ts";

/** A synthetic series: base times the product of each component's price to the power of its weight. */
export interface Basket {
  base: number;
  weights: Record<string, number>;
}

/**
 * Open and close of a basket at a minute, not rounded, from the bar of each component at that minute; null where one is
 * missing or not positive.
 */
export function basketMinute(
  { base, weights }: Basket,
  bars: Record<string, Bar | undefined>,
): { open: number; close: number } | null {
  let [open, close] = [base, base];
  for (const [component, weight] of Object.entries(weights)) {
    const bar = bars[component];
    if (!bar || !(bar.open > 0 && bar.close > 0)) return null;
    open *= bar.open ** weight;
    close *= bar.close ** weight;
  }
  return { open, close };
}

/** How far a price may be from the formula: half of the eighth decimal, and the last bits of two ways to multiply. */
export function basketTolerance(price: number): number {
  return 0.5e-8 + 1e-13 * price;
}
