import type { Database } from "../lib/database.ts";

/** Advances the 5m tasks of `symbols` to `now` as a worker with the per-window loop does: one task after the other. */
export async function runTaskByTask(db: Database, symbols: readonly string[], now: Date): Promise<void> {
  for (const symbol of symbols) {
    let more = true;
    while (more) {
      const [started] = await db.query<{ cursor: Date }>("select window_loop.agg_start($1, $2) as cursor", [
        symbol,
        now,
      ]);
      const [caughtUp] = await db.query<{ stats: { stopped_reason: string } }>(
        "select window_loop.catchup_aggregation_range($1, $2, 1000, $3) as stats",
        [symbol, started?.cursor, now],
      );
      await db.query("select window_loop.agg_finish($1, $2, $3)", [symbol, caughtUp?.stats, now]);
      more = caughtUp?.stats.stopped_reason === "max_windows";
    }
  }
}

/** Symbols of the 5m tasks that are due at `now`, in order. */
export async function dueSymbols(db: Database, now: Date): Promise<string[]> {
  const rows = await db.query<{ canonical_symbol: string }>(
    `select canonical_symbol from public.data_agg_state
    where timeframe = '5m' and enabled and status = 'idle' and next_run_at <= $1
    order by 1`,
    [now],
  );
  return rows.map((row) => row.canonical_symbol);
}
