import type { Database } from "../lib/database.ts";

/** Sums over the dispatcher's runs. */
export interface RunSums {
  /** Bars stored, synthetic minutes included. */
  bars: number;
  /** Bars built again, or taken away, because their source changed. */
  corrected: number;
  windows: number;
  failed: number;
  batches: number;
  /** Time in the dispatcher alone. */
  milliseconds: number;
}

/** The result of one `agg_run_due`. */
interface DispatcherResult {
  windows: number;
  bars_created: number;
  bars_corrected: number;
  failed: number;
  batches: number;
  stopped_reason: "idle" | "time_budget" | "busy" | "paused";
}

/**
 * Runs the dispatcher until nothing is due at `now`, a slice of half a second at a time, and tells `onSlice` how much
 * of the calendar is decided, 0 to 1. Rejects when another dispatcher keeps it from running.
 */
export async function catchUp(db: Database, now: Date, onSlice: (done: number) => void): Promise<RunSums> {
  const sums: RunSums = { bars: 0, corrected: 0, windows: 0, failed: 0, batches: 0, milliseconds: 0 };
  const start = await remainingWindows(db, now);
  let busy = 0;
  while (true) {
    const began = performance.now();
    const result = await runDispatcher(db, now);
    sums.milliseconds += performance.now() - began;
    sums.bars += result.bars_created;
    sums.corrected += result.bars_corrected;
    sums.windows += result.windows;
    sums.failed += result.failed;
    sums.batches += result.batches;
    onSlice(start === 0 ? 1 : 1 - await remainingWindows(db, now) / start);
    if (result.stopped_reason === "idle") return sums;
    if (result.stopped_reason === "paused") throw new Error("the database pauses: select agg_resume() and run again");
    if (result.stopped_reason !== "busy") continue;
    if (++busy === 60) throw new Error("another dispatcher has been at work for a minute: end it and run again");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function runDispatcher(db: Database, now: Date): Promise<DispatcherResult> {
  const [row] = await db.query<{ result: DispatcherResult }>(
    `select public.agg_run_due(
       p_env => 'prod', p_now => $1::timestamptz, p_time_budget => interval '500 milliseconds', p_batch_windows => 20000
     ) as result`,
    [now],
  );
  return row!.result;
}

/** Windows between each cursor and the last 1m bar of its symbol (of all symbols, for a synthetic one). */
async function remainingWindows(db: Database, now: Date): Promise<number> {
  const [row] = await db.query<{ windows: number }>(
    `select coalesce(sum(greatest(0,
       extract(epoch from least($1, l.ts_utc) - s.last_agg_bar_ts_utc) / (60 * s.run_interval_minutes) - 1
     )), 0)::float8 as windows
     from public.data_agg_state as s
     cross join lateral (
       select coalesce(
         (select max(b.ts_utc) from public.data_bars as b
          where b.canonical_symbol = s.canonical_symbol and b.source <> 'synthetic'),
         (select max(b.ts_utc) from public.data_bars as b)
       ) as ts_utc
     ) as l
     where s.enabled`,
    [now],
  );
  return row!.windows;
}
