import assert from "node:assert/strict";
import { DAY, MINUTE, OPTIONAL } from "../../../model/aggregator.ts";
import type { Database } from "../database.ts";
import { runDue } from "./run_due.ts";

/** Longer than any claim, any wait for data and any backoff after a failure: an hour. */
const LONGEST_WAIT = 61 * MINUTE;

/** Longer than the wait of a task that found no data. */
const DATA_WAIT = 6 * MINUTE;

/** Longer than the longest window. */
const LATER = 9 * DAY;

/**
 * Switches every asset on with every timeframe, and dispatches until nothing is due. Does it again after the wait of tasks
 * whose source was not complete before. With `endsLater` a minute of each symbol follows long after, and all is dispatched
 * that can be decided then. Returns the clock at the end. Rejects when a task fails or the dispatcher does not get idle.
 */
export async function settle(db: Database, now: number, endsLater: boolean): Promise<number> {
  await db.query(
    `update public.core_asset_registry_all
     set active = true, metadata = jsonb_set(metadata, '{agg,optional}', $1::jsonb)`,
    [JSON.stringify(OPTIONAL)],
  );
  if (endsLater) {
    await db.query(
      `insert into public.data_bars
         (canonical_symbol, timeframe, ts_utc, open, high, low, close, vol, vwap, trade_count, is_partial, source)
       select b.*
       from public.test_bars(
         array(select r.canonical_symbol from public.core_asset_registry_all as r where not r.metadata ? 'is_synthetic'),
         date_trunc('minute', $1::timestamptz), 1, 1000, 0
       ) as b`,
      [new Date(now + LATER)],
    );
  }
  let clock = now + (endsLater ? LATER : 0) + LONGEST_WAIT;
  await dispatchUntilIdle(db, clock);
  await dispatchUntilIdle(db, clock += DATA_WAIT);
  return clock;
}

/** Bars that nothing builds again: of symbols, or of components of theirs, of which something is not kept. */
const BEHIND_A_FLOOR = `exists (
  select from agg.floor as f
  where d.ts_utc < f.floor_utc and f.canonical_symbol in (
    select d.canonical_symbol
    union all
    select k.component from agg.synthetic_component as k where k.canonical_symbol = d.canonical_symbol
  )
)`;

/**
 * Deletes every bar that was built, without triggers, and lets the dispatcher build them again at the clock `now`. Rejects
 * when a column of a bar differs from before.
 */
export async function checkRebuild(db: Database, now: number): Promise<void> {
  const before = await readBuilt(db);
  await db.exec(`
    set session_replication_role = replica;
    delete from public.derived_data_bars as d where not ${BEHIND_A_FLOOR};
    delete from public.data_bars as d where d.source = 'synthetic' and not ${BEHIND_A_FLOOR};
    set session_replication_role = origin;
    select public.agg_add_change_note();
  `);
  await dispatchUntilIdle(db, now);
  const after = await readBuilt(db);
  const [gone, come] = [new Set(before).difference(new Set(after)), new Set(after).difference(new Set(before))];
  assert.deepEqual(
    [...gone, ...come].slice(0, 10),
    [],
    `a rebuild from scratch lost ${gone.size} bars and made ${come.size} others`,
  );
}

async function dispatchUntilIdle(db: Database, now: number): Promise<void> {
  const result = await runDue(db, new Date(now), { budget: "10 minutes" });
  assert.deepEqual([result.stopped_reason, result.failed], ["idle", 0], "the dispatcher does not get idle");
}

/** Every derived bar and synthetic minute, all columns but the times of writing. */
async function readBuilt(db: Database): Promise<string[]> {
  const rows = await db.query<{ bar: string }>(
    `select (to_jsonb(d) - array['created_at', 'updated_at'])::text as bar
     from public.derived_data_bars as d where d.deleted_at is null
     union all
     select (to_jsonb(d) - array['created_at', 'updated_at', 'ingested_at'])::text
     from public.data_bars as d where d.source = 'synthetic'`,
  );
  return rows.map(({ bar }) => bar);
}
