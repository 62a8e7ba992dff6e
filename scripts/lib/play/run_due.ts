import type { Database } from "../database.ts";

/** What `agg_run_due` returns. */
export interface RunResult {
  tasks: number;
  windows: number;
  bars_created: number;
  bars_quality_poor: number;
  bars_corrected: number;
  failed: number;
  batches: number;
  stopped_reason: "idle" | "one_batch" | "time_budget" | "busy" | "paused";
}

/** One call of the dispatcher. `budget` is an interval; limit and batch size are those of production when left out. */
export async function runDue(
  db: Database,
  now: Date,
  { limit = 10_000, batchWindows = 50_000, budget = "40 seconds" } = {},
): Promise<RunResult> {
  const [row] = await db.query<{ result: RunResult }>(
    `select public.agg_run_due(
       p_limit => $1, p_now => $2, p_time_budget => $3::interval, p_batch_windows => $4
     ) as result`,
    [limit, now, budget, batchWindows],
  );
  return row!.result;
}
