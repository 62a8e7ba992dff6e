import assert from "node:assert/strict";
import { DERIVED, type DerivedTimeframe, LENGTH } from "../../model/aggregator.ts";
import type { Asset } from "../../model/histories.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { runDue } from "../support/dispatch.ts";
import type { Action } from "./scenarios.ts";

interface Sums {
  tasks: number;
  failed: number;
}

interface CatchupResult {
  new_cursor: string;
  stopped_reason: string;
  bars_created: number;
  bars_quality_poor: number;
  bars_written: number;
}

/** Does what the action says at `now`. Rejects when the dispatcher counts a failed task. */
export async function act(db: Database, action: Action, assets: Asset[], now: Date): Promise<void> {
  switch (action.kind) {
    case "batches":
      for (let count = 0; count < action.count; count++) await runBatch(db, action, now);
      return;
    case "run":
      await runUntilIdle(db, action, now);
      return;
    case "worker":
      await workOnOne(db, assets[action.asset % assets.length]!, action, now);
  }
}

/** `agg.run_batch` until nothing is due any more. Rejects when that does not come to an end. */
export async function runBatches(
  db: Database,
  sizes: { limit: number; batchWindows: number },
  now: Date,
): Promise<void> {
  for (let count = 0; count < 10_000; count++) {
    if ((await runBatch(db, sizes, now)).tasks === 0) return;
  }
  throw new Error("tasks are due again and again");
}

async function runBatch(db: Database, sizes: { limit: number; batchWindows: number }, now: Date): Promise<Sums> {
  const [sums] = await db.query<Sums>(
    "select b.tasks, b.failed from agg.run_batch(p_limit => $1, p_batch_windows => $2, p_now => $3) as b",
    [sizes.limit, sizes.batchWindows, now],
  );
  assert.equal(sums!.failed, 0, "a task failed");
  return sums!;
}

/** One call of `agg_run_due`, with time enough to get idle. */
export async function runUntilIdle(
  db: Database,
  sizes: { limit: number; batchWindows: number },
  now: Date,
): Promise<void> {
  const result = await runDue(db, now, { ...sizes, budget: "1 hour" });
  assert.equal(result.failed, 0, "a task failed");
  assert.equal(result.stopped_reason, "idle");
}

/** What a worker outside the database does with all tasks: claim, catch up and finish, until each has nothing left. */
export async function workOff(db: Database, assets: Asset[], maxWindows: number, now: Date): Promise<void> {
  await db.query("select * from public.agg_get_due_tasks(p_now => $1)", [now]);
  for (const timeframe of DERIVED) {
    for (const { symbol } of assets.filter(({ timeframes }) => timeframes.includes(timeframe))) {
      const task = { timeframe, maxWindows, ending: "finish" as const };
      while (await work(db, symbol, task, now) === "max_windows");
    }
  }
}

/** Takes the task of the timeframe that the action asks for, or of the longest one below it that the asset has. */
async function workOnOne(db: Database, asset: Asset, action: Extract<Action, { kind: "worker" }>, now: Date) {
  const timeframe = asset.timeframes.findLast((timeframe) => LENGTH[timeframe] <= LENGTH[action.timeframe])!;
  await work(db, asset.symbol, { ...action, timeframe }, now);
}

/** One round of an outside worker. Returns why it stopped, or null when it could not claim the task. */
async function work(
  db: Database,
  symbol: string,
  { timeframe, maxWindows, ending }: Omit<Extract<Action, { kind: "worker" }>, "kind" | "asset">,
  now: Date,
): Promise<string | null> {
  const [claim] = await db.query<{ result: { claimed: boolean } }>(
    "select public.agg_start($1, $2, $3) as result",
    [symbol, timeframe, now],
  );
  if (!claim!.result.claimed) return null;
  const result = await catchUp(db, symbol, timeframe, maxWindows, now);
  if (ending === "finish") {
    await db.query("select public.agg_finish($1, $2, true, $3::timestamptz, $4::jsonb, p_now => $5)", [
      symbol,
      timeframe,
      result.new_cursor,
      result,
      now,
    ]);
  } else if (ending !== "abandon") {
    await db.query(
      "select public.agg_finish($1, $2, false, p_fail_kind => $3, p_error => 'lost its network', p_now => $4)",
      [
        symbol,
        timeframe,
        ending,
        now,
      ],
    );
  }
  return result.stopped_reason;
}

/** `catchup_aggregation_range` from the stored cursor. */
export async function catchUp(
  db: Database,
  symbol: string,
  timeframe: DerivedTimeframe,
  maxWindows: number,
  now: Date,
  startCursor: string | null = null,
): Promise<CatchupResult> {
  const [row] = await db.query<{ result: CatchupResult }>(
    "select public.catchup_aggregation_range($1, $2, $3::timestamptz, $4, p_until_utc => $5) as result",
    [symbol, timeframe, startCursor, maxWindows, now],
  );
  return row!.result;
}
