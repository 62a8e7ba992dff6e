import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { openServer } from "../../scripts/lib/database.ts";
import { KEYS } from "../../scripts/lib/stack/keys.ts";
import { readValue } from "../support/dispatch.ts";
import { openClient } from "./client.ts";
import { startDev } from "./command.ts";

Deno.test("dev --db migrates a server's database, and leaves the jobs to its pg_cron where it has them", async (test) => {
  await using cluster = await startCluster();
  const plain = await cluster.createDatabase("plain");

  await test.step("without pg_cron it runs the jobs itself", async () => {
    await using stack = await startDev("--db", plain);
    assert.match(stack.output.stdout, /\d+ migrations applied/);
    assert.match(stack.output.stdout, /on the Postgres at 127\.0\.0\.1:\d+\/plain/);
    assert.match(stack.output.stdout, /Jobs +pgbars:dispatch \(\* \* \* \* \*\)/);
    const { data, error } = await openClient(stack.url, KEYS.secret).from("core_asset_registry_all").select();
    assert.deepEqual([data?.length, error], [1, null]);
    const refused = await openClient(stack.url, KEYS.publishable).from("core_asset_registry_all").select();
    assert.equal(refused.error?.code, "42501");
    assert.equal(await stack.stop(), 0);
  });

  await test.step("with pg_cron it runs none", async () => {
    await using stack = await startDev("--db", cluster.url());
    assert.match(stack.output.stdout, /Jobs +are run by the database's own pg_cron/);
    assert.equal(await stack.stop(), 0);
    const db = await openServer(cluster.url());
    const jobs = await readValue<number>(db, "select count(*) from cron.job where jobname like 'pgbars:%' and active");
    await db.close();
    assert.equal(jobs, 2);
  });
});
