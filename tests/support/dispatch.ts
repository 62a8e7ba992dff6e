import type { Database } from "../../scripts/lib/database.ts";

export { runDue, type RunResult } from "../../scripts/lib/play/run_due.ts";

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

export async function readTask(db: Database, symbol: string, timeframe: string): Promise<Task> {
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
