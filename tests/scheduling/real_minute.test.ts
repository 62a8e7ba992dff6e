import assert from "node:assert/strict";
import { aggregate, barsOf, expectAt, LENGTH, MINUTE } from "../../model/aggregator.ts";
import { describeAsset, PLAIN } from "../../model/histories.ts";
import { startCluster } from "../../scripts/lib/cluster.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { registerAssets } from "../support/assets.ts";
import { insertMinutes, readCursor, readDerived } from "../support/bars.ts";
import { dispatchCommand, jobNames, JOBS, openCronDatabase } from "../support/cron.ts";
import { assertBars } from "../support/reference.ts";
import { waitUntil } from "../support/wait.ts";

Deno.test("pg_cron builds bars at a real minute that nobody else asked for", async () => {
  await using cluster = await startCluster();
  await using db = await openCronDatabase(cluster);
  assert.deepEqual(await jobNames(db), JOBS, "the migrations schedule the jobs");

  const asset = await registerRecentAsset(db);
  await waitUntil(async () => (await readDerived(db, asset.symbol, "1h")).length > 0, 130);

  const run = await lastRun(db);
  assert.deepEqual([run.status, run.command], ["succeeded", await dispatchCommand(db)]);
  const windows = aggregate(asset.minutes, asset.rules);
  const expected = expectAt(asset.minutes, windows, asset.rules, asset.delaySeconds, run.end_time.getTime());
  assert.ok(expected.bars["5m"].length > 20 && expected.bars["1h"].length > 0);
  for (const timeframe of ["5m", "1h"] as const) {
    assert.equal(await readCursor(db, asset.symbol, timeframe), expected.cursors[timeframe]);
    assertBars(await readDerived(db, asset.symbol, timeframe), expected.bars[timeframe], timeframe);
  }
  const log = await db.query<{ bars: number; failed: number }>(
    "select l.bars_created as bars, l.failed from agg.run_log as l",
  );
  assert.equal(
    log.reduce((sum, { bars }) => sum + bars, 0),
    barsOf(windows.windows["5m"]).filter(({ ts }) => ts <= expected.cursors["5m"]).length + expected.bars["1h"].length,
  );
  assert.ok(log.every(({ failed }) => failed === 0));
});

/** An asset with three hours of bars up to now, all of whose windows but the last few minutes are due. */
async function registerRecentAsset(db: Database) {
  const end = Math.floor(Date.now() / MINUTE) * MINUTE;
  const start = Math.floor((end - 3 * LENGTH["1h"]) / LENGTH["1h"]) * LENGTH["1h"];
  const sketch = describeAsset(
    {
      ...PLAIN,
      delaySeconds: { "5m": 60, "1h": 60, optional: 60 },
      segments: [{ gapMinutes: 0, masks: Array.from({ length: 48 }, () => 31), stepMinutes: 5 }],
      seed: 1,
    },
    "RECENT",
    start,
  );
  const asset = { ...sketch, minutes: sketch.minutes.filter((bar) => bar.ts < end) };
  // In one go, so that no run of the job sees the asset without its bars.
  await db.exec("begin");
  await registerAssets(db, [asset]);
  await insertMinutes(db, asset.symbol, asset.minutes);
  await db.exec("commit");
  return asset;
}

interface JobRun {
  status: string;
  command: string;
  end_time: Date;
}

async function lastRun(db: Database): Promise<JobRun> {
  const read = () =>
    db.query<JobRun>(
      `select d.status, d.command, d.end_time from cron.job_run_details as d join cron.job as j using (jobid)
       where j.jobname = 'pgbars:dispatch' order by d.runid desc limit 1`,
    );
  await waitUntil(async () => (await read())[0]!.end_time !== null);
  return (await read())[0]!;
}
