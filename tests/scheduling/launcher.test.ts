import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { runAdvisors } from "../../scripts/test/linters.ts";
import { disposable } from "../support/cron.ts";
import { readValue } from "../support/dispatch.ts";
import { waitUntil } from "../support/wait.ts";

const LAUNCHER = "select a.pid from pg_stat_activity as a where a.backend_type = 'pg_cron launcher'";
const MESSAGE = "select public.schedule_jobs() ->> 'message'";

Deno.test("the migrations create pg_cron where the advisors accept it, and schedule_jobs() says when its launcher has ended", async (test) => {
  await using cluster = await startCluster();
  const notices: string[] = [];
  await using db = disposable(await openServer(cluster.url(), { onNotice: (text) => notices.push(text) }));
  assert.equal(
    await readValue(db, "select count(*) from pg_extension where extname = 'pg_cron'"),
    0,
    "this database begins without pg_cron",
  );
  await migrate(db);

  await test.step("the extension is in no schema of the API", async () => {
    assert.equal(
      await readValue(
        db,
        "select e.extnamespace::regnamespace::text from pg_extension as e where e.extname = 'pg_cron'",
      ),
      "pg_catalog",
    );
    const advice = await runAdvisors(cluster.url());
    assert.equal(advice.failed, 0, advice.output);
  });

  await test.step("jobs are scheduled while the launcher runs", async () => {
    await waitUntil(async () => (await db.query(LAUNCHER)).length === 1);
    assert.equal(await readValue(db, MESSAGE), "2 jobs are scheduled");
  });

  await test.step("none will start once it has ended", async () => {
    const pid = await readValue<number>(db, LAUNCHER);
    await db.query("select pg_terminate_backend($1, 5000)", [pid]);
    await waitUntil(async () => (await db.query(LAUNCHER)).length === 0);
    notices.length = 0;
    const message = "2 jobs are scheduled, but none will start: the launcher of pg_cron does not run";
    assert.equal(await readValue(db, MESSAGE), message);
    assert.deepEqual(notices, [message]);
  });

  await test.step("a role that may not see the launcher is told nothing of it", async () => {
    // The rights of an owner that is not a superuser.
    await db.exec(`
      create role deployer nologin;
      grant usage on schema agg, cron to deployer;
      grant execute on all functions in schema agg, public, cron to deployer;
      grant select on all tables in schema agg to deployer;
      grant update on agg.environment to deployer;
      grant all on cron.job to deployer;
      alter table agg.environment disable row level security;
      set role deployer;`);
    assert.equal(await readValue(db, MESSAGE), "2 jobs are scheduled");
    await db.exec("reset role; grant pg_read_all_stats to deployer; set role deployer;");
    assert.match(await readValue(db, MESSAGE), /the launcher of pg_cron does not run$/);
  });
});
