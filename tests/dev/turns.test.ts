import assert from "node:assert/strict";
import { migrate } from "../../scripts/lib/migrations.ts";
import { openEmbeddedBackend } from "../../scripts/lib/stack/backend.ts";
import { openDataApi } from "../../scripts/lib/stack/data_api.ts";
import { KEYS } from "../../scripts/lib/stack/keys.ts";

Deno.test("requests to the embedded Postgres, which has one session, never run in each other's transactions", async () => {
  const backend = await openEmbeddedBackend();
  try {
    await migrate(backend.db);
    const dataApi = await openDataApi(backend, KEYS);
    const statuses = await Promise.all(Array.from({ length: 30 }, async (_, index) => {
      const apikey = index % 3 ? KEYS.secret : KEYS.publishable;
      const answer = await dataApi(new Request("http://127.0.0.1/rest/v1/data_bars?limit=1", { headers: { apikey } }));
      const [row] = await backend.db.query<{ role: string }>("select current_user as role");
      assert.equal(row!.role, "postgres");
      return answer.status;
    }));
    await assert.rejects(backend.db.query("select 1 / 0"), { code: "22012" });
    await assert.rejects(backend.exclusively(() => Promise.reject(new Error("no turn"))), { message: "no turn" });
    assert.deepEqual(await backend.db.query("select 1 as one"), [{ one: 1 }], "a turn that fails lets the next begin");
    statuses.forEach((status, index) => assert.equal(status, index % 3 ? 200 : 401));
  } finally {
    await backend.close();
  }
});
