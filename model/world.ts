import { MINUTE } from "./aggregator.ts";
import { ORIGIN } from "./histories.ts";

export const SYMBOLS: readonly Symbol[] = ["A", "B", "C"];
/** The symbols that have bars of their own; X is a basket of them. */
export type Symbol = "A" | "B" | "C";
export const BASKET = "X";
export type AnySymbol = Symbol | typeof BASKET;

/** The assets of a history, all of which aggregate from the same instant. */
export interface World {
  /** Minutes from ORIGIN to the start of aggregation. */
  startMinute: number;
  basket: { components: Symbol[]; version: 1 | 2 };
  /** Whether C is switched off at the start, which makes it a component without tasks. */
  bareComponent: boolean;
}

/** The start of aggregation as `metadata.agg.start_utc` has it. */
export function startText(startMinute: number): string {
  return new Date(ORIGIN + startMinute * MINUTE).toISOString();
}
