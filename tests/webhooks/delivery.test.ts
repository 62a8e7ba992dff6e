import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { ENGINES } from "../support/stack.ts";
import { addStandIns, type QueuedRequest, storeSecrets, takeRequests } from "./databases.ts";

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`registry-sync takes what the database posts (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db, keys } = stack;
    await addStandIns(db);
    await storeSecrets(db, `${stack.url}/functions/v1/registry-sync`, keys.named.registry_sync);
    await db.query("select public.install_webhooks()");
    const registry = () => createClient(stack.url, keys.secret).from("core_asset_registry_all");
    /** Sends what is queued, as pg_net does after the commit. */
    const deliver = async () => await Promise.all((await takeRequests(db)).map(post));

    await test.step("an inserted, a changed and a deleted asset", async () => {
      const changes = [
        registry().insert({ canonical_symbol: "EURUSD", active: true }),
        registry().update({ active: false }).eq("canonical_symbol", "EURUSD"),
        registry().delete().eq("canonical_symbol", "EURUSD"),
      ];
      for (const change of changes) {
        assert.equal((await change).error, null);
        const answers = await deliver();
        assert.deepEqual(
          answers.map(({ status, body }) => [status, body.env, body.symbols]),
          [[200, "prod", ["EURUSD"]]],
        );
      }
    });

    await test.step("a load of many assets is one post, which syncs them all", async () => {
      const rows = Array.from({ length: 200 }, (_, n) => ({ canonical_symbol: `A${1000 + n}`, active: true }));
      assert.equal((await registry().insert(rows)).error, null);
      const answers = await deliver();
      assert.deepEqual(answers.map(({ status, body }) => [status, body.symbols]), [[200, ["A1000"]]]);
      const [tasks] = await db.query<{ symbols: number }>(
        "select count(distinct canonical_symbol) as symbols from public.data_agg_state where canonical_symbol ~ '^A' and enabled",
      );
      assert.equal(tasks!.symbols, 200);
    });

    await test.step("a key that is not the function's is refused, and the registry is written all the same", async () => {
      await db.query("update vault.secrets set secret = $1 where name = 'pgbars_registry_sync_key'", [
        keys.named.derive_dxy,
      ]);
      assert.equal((await registry().update({ active: false }).eq("canonical_symbol", "A1000")).error, null);
      assert.deepEqual((await deliver()).map(({ status }) => status), [401]);
      const { data } = await registry().select("active").eq("canonical_symbol", "A1000").single();
      assert.equal(data!.active, false);
    });
  });
}

async function post({ url, headers, body }: QueuedRequest) {
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}
