import assert from "node:assert/strict";
import { type Cluster, startCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { aggregate, barsOf, expectAt, LENGTH, MINUTE } from "../property/aggregator.ts";
import { registerAssets } from "../property/drivers.ts";
import { describeAsset } from "../property/histories.ts";
import { insertMinutes, readCursor, readDerived } from "../support/bars.ts";
import { readValue } from "../support/dispatch.ts";
import { waitUntil } from "../support/wait.ts";

const JOBS = ["pgbars:dispatch", "pgbars:maintain"];

Deno.test("pg_cron builds bars at a real minute that nobody else asked for", async () => {
  await using cluster = await startCluster();
  await using db = await openMigrated(cluster);
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
    assert.deepEqual(await readDerived(db, asset.symbol, timeframe), expected.bars[timeframe]);
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

Deno.test("schedule_jobs() keeps pg_cron's jobs to its own list, and without pg_cron says that nothing is scheduled", async (test) => {
  await using cluster = await startCluster();
  await using db = await openMigrated(cluster);

  await test.step("calling it twice changes nothing", async () => {
    const before = await db.query("select * from cron.job order by jobid");
    for (let count = 0; count < 2; count++) {
      const result = await scheduleJobs(db);
      assert.equal(result.pg_cron, true);
      assert.deepEqual([result.scheduled, result.removed], [JOBS, []]);
      assert.deepEqual(await db.query("select * from cron.job order by jobid"), before);
    }
  });

  await test.step("a job of its own that is no longer wanted goes, a foreign one stays", async () => {
    await db.query("select cron.schedule('pgbars:of-an-older-release', '0 0 1 1 *', 'select 1')");
    await db.query("select cron.schedule('somebody-elses', '0 0 1 1 *', 'select 2')");
    const foreign = () => db.query("select * from cron.job where jobname = 'somebody-elses'");
    const before = await foreign();
    const result = await scheduleJobs(db);
    assert.deepEqual([result.scheduled, result.removed], [JOBS, ["pgbars:of-an-older-release"]]);
    assert.deepEqual(await jobNames(db), [...JOBS, "somebody-elses"]);
    assert.deepEqual(await foreign(), before);
  });

  await test.step("a job that somebody changed is what it was again", async () => {
    await db.query("select cron.schedule('pgbars:dispatch', '0 0 1 1 *', 'select 3')");
    await scheduleJobs(db);
    const [job] = await db.query<{ schedule: string; command: string }>(
      "select j.schedule, j.command from cron.job as j where j.jobname = 'pgbars:dispatch'",
    );
    assert.deepEqual([job!.schedule, job!.command], ["* * * * *", await dispatchCommand(db)]);
  });

  await test.step("maintenance prunes old runs of its own jobs, finished or not, and no others", async () => {
    await db.exec("truncate cron.job_run_details");
    const insert = (jobname: string, runid: number, startDays: number, endDays: number | null) =>
      db.query(
        `insert into cron.job_run_details (jobid, runid, database, username, command, status, start_time, end_time)
         select j.jobid, $2, 'postgres', 'postgres', j.command, 'succeeded',
           now() - make_interval(days => $3), now() - make_interval(days => $4)
         from cron.job as j where j.jobname = $1`,
        [jobname, runid, startDays, endDays],
      );
    await insert("pgbars:dispatch", 1001, 4, 4);
    await insert("pgbars:dispatch", 1002, 2, 2);
    await insert("pgbars:dispatch", 1003, 4, null);
    await insert("pgbars:dispatch", 1004, 2, null);
    await insert("somebody-elses", 1005, 4, 4);
    await db.query("select public.agg_maintain()");
    const left = await db.query<{ runid: number }>(
      "select d.runid from cron.job_run_details as d where d.runid > 1000 order by d.runid",
    );
    assert.deepEqual(left.map(({ runid }) => runid), [1002, 1004, 1005]);
  });

  await test.step("maintenance prunes old runs of a job that is no longer there", async () => {
    await db.query("select cron.schedule('pgbars:of-an-older-release', '0 0 1 1 *', $1)", [await dispatchCommand(db)]);
    await db.query(
      `insert into cron.job_run_details (jobid, runid, database, username, command, status, start_time, end_time)
       select j.jobid, 2001, 'postgres', 'postgres', j.command, 'succeeded', now() - interval '9 days', now() - interval '9 days'
       from cron.job as j where j.jobname = 'pgbars:of-an-older-release'`,
    );
    await scheduleJobs(db);
    await db.query("select public.agg_maintain()");
    assert.equal(await readValue(db, "select count(*) from cron.job_run_details as d where d.runid = 2001"), 0);
  });

  await test.step("in a database without pg_cron the same migrations apply and it says so", async () => {
    const notices: string[] = [];
    await using other = disposable(
      await openServer(await cluster.createDatabase("without_pg_cron"), { onNotice: (text) => notices.push(text) }),
    );
    assert.ok((await migrate(other)).length > 0);
    assert.ok(notices.some((text) => text.startsWith("nothing is scheduled")), notices.join("\n"));
    const result = await scheduleJobs(other);
    assert.deepEqual([result.pg_cron, result.scheduled, result.removed], [false, [], []]);
    assert.match(result.message, /nothing is scheduled/);
    assert.deepEqual(
      (await other.query<{ result: unknown }>("select public.agg_maintain() -> 'rows_pruned' as result"))[0],
      {
        result: 0,
      },
    );
  });
});

async function openMigrated(cluster: Cluster): Promise<Database & AsyncDisposable> {
  const db = disposable(await openServer(cluster.url()));
  await migrate(db);
  return db;
}

function disposable(db: Database): Database & AsyncDisposable {
  return { ...db, [Symbol.asyncDispose]: () => db.close() };
}

/** An asset with three hours of bars up to now, all of whose windows but the last few minutes are due. */
async function registerRecentAsset(db: Database) {
  const end = Math.floor(Date.now() / MINUTE) * MINUTE;
  const start = Math.floor((end - 3 * LENGTH["1h"]) / LENGTH["1h"]) * LENGTH["1h"];
  const sketch = describeAsset({
    startSeconds: 0,
    delaySeconds: { "5m": 60, "1h": 60 },
    quality: { good: 80, poor: 60 },
    session: null,
    segments: [{ gapMinutes: 0, masks: Array.from({ length: 48 }, () => 31) }],
    seed: 1,
    live: false,
  }, "RECENT");
  const shift = start - sketch.rules.startUtc;
  const asset = {
    ...sketch,
    rules: { ...sketch.rules, startUtc: start },
    minutes: sketch.minutes.map((bar) => ({ ...bar, ts: bar.ts + shift })).filter((bar) => bar.ts < end),
  };
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

async function dispatchCommand(db: Database): Promise<string> {
  return await readValue(db, "select j.command from agg.job_list() as j where j.job_name = 'pgbars:dispatch'");
}

async function jobNames(db: Database): Promise<string[]> {
  return (await db.query<{ jobname: string }>("select j.jobname from cron.job as j order by 1")).map((row) =>
    row.jobname
  );
}

async function scheduleJobs(db: Database) {
  return await readValue<{ pg_cron: boolean; scheduled: string[]; removed: string[]; message: string }>(
    db,
    "select public.schedule_jobs()",
  );
}
