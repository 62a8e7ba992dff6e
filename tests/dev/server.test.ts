import assert from "node:assert/strict";
import { hasScheduledJobs } from "../../scripts/dev/scheduler.ts";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { openServerBackend } from "../../scripts/lib/stack/backend.ts";
import { openDataApi } from "../../scripts/lib/stack/data_api.ts";
import { KEYS } from "../../scripts/lib/stack/keys.ts";

Deno.test("a server's database keeps what Supabase made in it, and a stopped server is a 503", async (test) => {
  await using cluster = await startCluster();
  const backend = await openServerBackend(cluster.url());
  const { db } = backend;
  try {
    await db.exec("create schema auth; create table auth.schema_migrations (version text)");
    await migrate(db);
    const dataApi = await openDataApi(backend, KEYS);
    const call = async (path: string, init: RequestInit = {}) => {
      const headers = { apikey: KEYS.secret, "content-type": "application/json" };
      const answer = await dataApi(new Request(`http://127.0.0.1${path}`, { headers, ...init }));
      return { status: answer.status, body: await answer.json().catch(() => null) };
    };

    await test.step("with Supabase's own auth schema the stack has no sign-in", async () => {
      const tables = await db.query("select c.relname from pg_class as c where c.relnamespace = 'auth'::regnamespace");
      assert.deepEqual(tables, [{ relname: "schema_migrations" }]);
      const body = JSON.stringify({ email: "someone@example.org", password: "correct horse" });
      assert.equal((await call("/auth/v1/signup", { method: "POST", body })).status, 404);
      assert.equal((await call("/rest/v1/data_bars")).status, 200);
    });

    await test.step("pg_cron counts where it runs the jobs of this database", async () => {
      assert.equal(await hasScheduledJobs(db), true);
      await db.exec("update cron.job set active = false");
      assert.equal(await hasScheduledJobs(db), false);
      await db.exec("update cron.job set active = true, database = 'other'");
      assert.equal(await hasScheduledJobs(db), false);
    });

    await test.step("a server that is gone is a 503", async () => {
      await cluster.stop();
      for (const code of ["PGRST000", "PGRST002"]) {
        const { status, body } = await call("/rest/v1/data_bars");
        assert.deepEqual([status, body?.code], [503, code]);
        await backend.connection.clearSchemaCache();
      }
    });
  } finally {
    await backend.close().catch(() => {});
  }
});
