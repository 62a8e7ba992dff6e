import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { dispatchCommand, disposable, jobNames, JOBS, openCronDatabase } from "../support/cron.ts";
import { readValue } from "../support/dispatch.ts";

Deno.test("schedule_jobs() keeps pg_cron's jobs to its own list, and without pg_cron says that nothing is scheduled", async (test) => {
  await using cluster = await startCluster();
  await using db = await openCronDatabase(cluster);

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

  await test.step("a job for each lane, and none for a lane that is taken away", async () => {
    const lanes = ["pgbars:dispatch", "pgbars:dispatch-2", "pgbars:dispatch-3", "pgbars:maintain"];
    const call = async (count: number) =>
      await readValue<{ scheduled: string[]; removed: string[] }>(db, "select public.schedule_jobs(p_lanes => $1)", [
        count,
      ]);
    assert.deepEqual((await call(3)).scheduled, lanes);
    assert.deepEqual((await jobNames(db)).filter((name) => name.startsWith("pgbars:")), lanes);
    const { scheduled, removed } = await call(1);
    assert.deepEqual([scheduled, removed], [JOBS, ["pgbars:dispatch-2", "pgbars:dispatch-3"]]);
    assert.deepEqual(await jobNames(db), [...JOBS, "somebody-elses"]);
  });

  await test.step("a job that somebody changed is what it was again", async () => {
    await db.query("select cron.schedule('pgbars:dispatch', '0 0 1 1 *', 'select 3')");
    await scheduleJobs(db);
    const [job] = await db.query<{ schedule: string; command: string }>(
      "select j.schedule, j.command from cron.job as j where j.jobname = 'pgbars:dispatch'",
    );
    assert.deepEqual([job!.schedule, job!.command], ["* * * * *", await dispatchCommand(db)]);
  });

  await test.step("agg_check() sees a job that is not active, and its hint helps", async () => {
    const checkJobs = () =>
      db.query<{ subject: string; status: string; hint: string }>(
        `select c.subject, c.status, c.hint from public.agg_check(p_all => true) as c where c."check" = 'jobs'`,
      );
    assert.deepEqual(await checkJobs(), [{ subject: "*", status: "PASS", hint: null }]);
    await db.exec("update cron.job set active = false where jobname = 'pgbars:dispatch'");
    const [found, ...others] = await checkJobs();
    assert.deepEqual([found!.subject, found!.status, others], ["pgbars:dispatch", "FAIL", []]);
    assert.equal(found!.hint, "select cron.unschedule('pgbars:dispatch'); select schedule_jobs();");
    await db.exec(found!.hint);
    assert.deepEqual(await checkJobs(), [{ subject: "*", status: "PASS", hint: null }]);
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

  await test.step("agg_check() sees a job that is not active, and its hint helps", async () => {
    const checkJobs = () =>
      db.query<{ subject: string; status: string; hint: string }>(
        `select c.subject, c.status, c.hint from public.agg_check(p_all => true) as c where c."check" = 'jobs'`,
      );
    assert.deepEqual(await checkJobs(), [{ subject: "*", status: "PASS", hint: null }]);
    await db.exec("update cron.job set active = false where jobname = 'pgbars:dispatch'");
    const [found, ...others] = await checkJobs();
    assert.deepEqual([found!.subject, found!.status, others], ["pgbars:dispatch", "FAIL", []]);
    assert.equal(found!.hint, "select cron.unschedule('pgbars:dispatch'); select schedule_jobs();");
    await db.exec(found!.hint);
    assert.deepEqual(await checkJobs(), [{ subject: "*", status: "PASS", hint: null }]);
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

async function scheduleJobs(db: Database) {
  return await readValue<{ pg_cron: boolean; scheduled: string[]; removed: string[]; message: string }>(
    db,
    "select public.schedule_jobs()",
  );
}
