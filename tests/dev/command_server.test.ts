import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { openServer } from "../../scripts/lib/database.ts";
import { KEYS } from "../../scripts/lib/stack/keys.ts";
import { readValue } from "../support/dispatch.ts";
import { waitUntil } from "../support/wait.ts";
import { openClient } from "./client.ts";
import { dev, startDev } from "./command.ts";

Deno.test("dev --db migrates a server's database, and leaves the jobs to its pg_cron where it has them", async (test) => {
  await using cluster = await startCluster();
  const plain = await cluster.createDatabase("plain");

  await test.step("without pg_cron it runs the jobs itself", async () => {
    await using stack = await startDev(["--db", plain]);
    assert.match(stack.output.stdout, /Applying the migrations that the Postgres at .*\n\d+ migrations applied/);
    assert.match(stack.output.stdout, /on the Postgres at 127\.0\.0\.1:\d+\/plain/);
    assert.match(stack.output.stdout, /Jobs +pgbars:dispatch \(\* \* \* \* \*\)/);
    const { data, error } = await openClient(stack.url, stack.secret).from("core_asset_registry_all").select();
    assert.deepEqual([data?.length, error], [1, null]);
    const refused = await openClient(stack.url, stack.publishable).from("core_asset_registry_all").select();
    assert.equal(refused.error?.code, "42501");
    const known = await openClient(stack.url, KEYS.secret).from("core_asset_registry_all").select();
    assert.equal(known.status, 401, "no key is known to everybody");
    assert.equal(await stack.stop(), 0);
  });

  await test.step("the jobs run on their schedule, in UTC", async () => {
    const db = await openServer(plain);
    const hour = new Date().getUTCHours();
    await db.exec(`
      alter function agg.job_list rename to original_job_list;
      create function agg.job_list(p_now timestamptz) returns table (job_name text, schedule text, command text)
      language sql as $$
        select j.job_name, '* * ${hour},${(hour + 1) % 24} * * *', j.command from agg.original_job_list(p_now) as j
      $$;
    `);
    await using stack = await startDev(["--db", plain], { TZ: "Pacific/Kiritimati" });
    await waitUntil(() => readValue<boolean>(db, "select exists (select from agg.run_log)"));
    assert.equal(await stack.stop(), 0);
    await db.close();
  });

  await test.step("a port that is taken leaves the database as it is", async () => {
    const empty = await cluster.createDatabase("empty");
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using refused = dev(["--db", empty, "--port", String(taken.addr.port)]);
    assert.equal(await refused.ended, 1);
    const db = await openServer(empty);
    assert.equal(await readValue(db, "select count(*) from pg_namespace where nspname = 'agg'"), 0);
    await db.close();
  });

  await test.step("Ctrl-C ends it while it waits for a server", async () => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using waiting = dev(["--port", "0", "--db", `postgresql://127.0.0.1:${silent.addr.port}/x`]);
    using _connection = await silent.accept();
    assert.equal(await waiting.stop("SIGINT"), 0);
    assert.doesNotMatch(waiting.output.stdout, /pgbars runs/);
  });

  await test.step("with pg_cron it runs none", async () => {
    await using stack = await startDev(["--db", cluster.url()]);
    assert.match(stack.output.stdout, /Jobs +the database's own pg_cron runs them/);
    assert.equal(await stack.stop(), 0);
    const db = await openServer(cluster.url());
    const jobs = await readValue<number>(db, "select count(*) from cron.job where jobname like 'pgbars:%' and active");
    await db.close();
    assert.equal(jobs, 2);
  });
});
