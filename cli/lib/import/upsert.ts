import { type Bar, formatMinute } from "./bar.ts";
import type { RefusedRow } from "./read_bars.ts";

/** What became of bars. */
export interface Stored {
  inserted: number;
  /** Bars that were there with other values. */
  updated: number;
  /** Bars that were there as they are. */
  unchanged: number;
  /** Bars that a later one of the same minute replaced before they were stored. */
  superseded: number;
  refused: RefusedRow[];
}

/** Calls `upsert_bars` with its argument as JSON text, and returns the answer. */
export type UpsertCall = (bars: string) => Promise<unknown>;

/** What `upsert_bars` answers. */
interface Answer extends Omit<Stored, "refused"> {
  refused: { index: number; code: string; constraint: string | null; problem: string }[];
}

/** Bars in one call. Measured on the embedded Postgres: 1,000 bars a call are a third faster than 5,000. */
export const BARS_PER_CALL = 1_000;

/** Stores bars by `upsert_bars`: what is there the same is left untouched, and what the database refuses costs that bar alone. */
export async function upsert(bars: readonly Bar[], call: UpsertCall): Promise<Stored> {
  const total = nothingStored();
  for (let start = 0; start < bars.length; start += BARS_PER_CALL) {
    const batch = bars.slice(start, start + BARS_PER_CALL);
    const { refused, ...counts } = await call(JSON.stringify(batch.map(toRow))) as Answer;
    add(total, {
      ...counts,
      refused: refused.map(({ index, code, constraint, problem }) => ({
        origin: batch[index]!.origin ?? { file: batch[index]!.symbol, line: 0 },
        reason: constraint ?? code,
        message: `the database refuses the bar: ${problem}`,
      })),
    });
  }
  return total;
}

export function nothingStored(): Stored {
  return { inserted: 0, updated: 0, unchanged: 0, superseded: 0, refused: [] };
}

/** Adds `more` to `total`. */
export function add(total: Stored, more: Stored): void {
  for (const name of ["inserted", "updated", "unchanged", "superseded"] as const) total[name] += more[name];
  for (const row of more.refused) total.refused.push(row);
}

function toRow({ symbol, ts, tradeCount, isPartial, origin: _, ...values }: Bar): Record<string, unknown> {
  return {
    canonical_symbol: symbol,
    ts_utc: formatMinute(ts),
    ...values,
    trade_count: tradeCount,
    ...(isPartial && { is_partial: true }),
  };
}
