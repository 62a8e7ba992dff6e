import type { Database } from "../../scripts/lib/database.ts";

/** What `agg_run_due` returns. */
export interface RunResult {
  tasks: number;
  windows: number;
  bars_created: number;
  bars_quality_poor: number;
  bars_corrected: number;
  failed: number;
  batches: number;
  stopped_reason: "idle" | "one_batch" | "time_budget" | "busy";
}

/** One call of the dispatcher. `budget` is an interval; limit and batch size are those of production when left out. */
export async function runDue(
  db: Database,
  now: Date,
  { limit = 10_000, batchWindows = 100_000, budget = "40 seconds" } = {},
): Promise<RunResult> {
  const [row] = await db.query<{ result: RunResult }>(
    `select public.agg_run_due(
       p_limit => $1, p_now => $2, p_time_budget => $3::interval, p_batch_windows => $4
     ) as result`,
    [limit, now, budget, batchWindows],
  );
  return row!.result;
}

/** A row of data_agg_state, as far as tests look at it. */
export interface Task {
  status: string;
  cursor: Date;
  next_run_at: Date;
  running_started_at_utc: Date | null;
  fail_streak: number;
  hard_fail_streak: number;
  last_error: string | null;
  total_bars_created: number;
}

export async function readTask(db: Database, symbol: string, timeframe: "1m" | "5m" | "1h"): Promise<Task> {
  const [task] = await db.query<Task>(
    `select s.status, s.last_agg_bar_ts_utc as cursor, s.next_run_at, s.running_started_at_utc,
       s.fail_streak, s.hard_fail_streak, s.last_error, s.total_bars_created
     from public.data_agg_state as s
     where s.canonical_symbol = $1 and s.timeframe = $2`,
    [symbol, timeframe],
  );
  if (!task) throw new Error(`there is no task ${symbol} ${timeframe}`);
  return task;
}

/** The one value of a query that returns one row with one column. */
export async function readValue<T>(db: Database, sql: string, params: unknown[] = []): Promise<T> {
  const [row] = await db.query<Record<string, T>>(sql, params);
  return Object.values(row!)[0]!;
}
