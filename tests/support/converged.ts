import assert from "node:assert/strict";
import { aggregate } from "../../model/aggregator.ts";
import type { Asset } from "../../model/histories.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { readMinutes } from "./bars.ts";
import { compare } from "./reference.ts";

/**
 * Nothing waits, `agg_verify` finds nothing, and cursors and bars are what the aggregator makes of the 1m bars that are
 * stored at this moment. The newest bar of an asset must never have been deleted: its cursor would not have followed.
 */
export async function checkConverged(db: Database, assets: Asset[], now: Date): Promise<void> {
  assert.deepEqual(await db.query("select * from agg.change_note"), [], "notes");
  assert.deepEqual(await db.query("select * from agg.correction"), [], "corrections");
  assert.deepEqual(await db.query("select * from public.agg_verify()"), [], "differences");
  for (const asset of assets) {
    const minutes = await readMinutes(db, asset.symbol);
    const stored = { ...asset, minutes, arrivals: minutes.map(() => -Infinity) };
    await compare(db, { ...stored, ...aggregate(minutes, asset.rules, asset.timeframes) }, now.getTime());
  }
}

/** No bar is wrong but those that a note or a correction is there for. */
export async function checkNothingLost(db: Database): Promise<void> {
  assert.deepEqual(await db.query("select * from public.agg_verify() as v where not v.is_pending"), []);
}
