import assert from "node:assert/strict";
import { readValue } from "../support/dispatch.ts";
import { DATABASES, storeSecrets, takeRequests } from "./databases.ts";

for (const [engine, openDatabase] of Object.entries(DATABASES)) {
  Deno.test(`agg.send_webhook() posts what changed in the registry (${engine})`, async (test) => {
    await using database = await openDatabase();
    const { db } = database;
    await storeSecrets(db, "http://127.0.0.1/registry-sync", "sb_secret_of_the_test");
    await db.query("select public.install_webhooks()");
    /** The payloads of what the registry's own client, `service_role`, does. */
    const payloadsOf = async (sql: string) => {
      await db.exec(`begin; set local role service_role; ${sql}; commit`);
      return (await takeRequests(db)).map(({ body }) => body);
    };
    const row = (symbol: string) =>
      readValue(db, "select to_jsonb(r) from public.core_asset_registry_all as r where r.canonical_symbol = $1", [
        symbol,
      ]);

    await test.step("an insert, an update and a delete, each as a Supabase webhook has it", async () => {
      const inserted = await payloadsOf(
        "insert into public.core_asset_registry_all (canonical_symbol, active) values ('EURUSD', true)",
      );
      const before = await row("EURUSD");
      const envelope = { table: "core_asset_registry_all", schema: "public" };
      assert.deepEqual(inserted, [{ type: "INSERT", ...envelope, record: before, old_record: null }]);

      const updated = await payloadsOf(
        "update public.core_asset_registry_all set active = false where canonical_symbol = 'EURUSD'",
      );
      const after = await row("EURUSD");
      assert.deepEqual(updated, [{ type: "UPDATE", ...envelope, record: after, old_record: before }]);

      const deleted = await payloadsOf("delete from public.core_asset_registry_all where canonical_symbol = 'EURUSD'");
      assert.deepEqual(deleted, [{ type: "DELETE", ...envelope, record: null, old_record: after }]);
    });

    await test.step("a statement of many assets posts once, with the first of them that changed", async () => {
      const inserted = await payloadsOf(`
        insert into public.core_asset_registry_all (canonical_symbol, active)
        select 'A' || n, false from generate_series(1000, 1, -1) as n
      `);
      assert.deepEqual(inserted.map(({ record }) => record.canonical_symbol), ["A1"]);
      const updated = await payloadsOf(`
        update public.core_asset_registry_all set description = case when canonical_symbol > 'A5' then 'changed' end
        where canonical_symbol ~ '^A'
      `);
      assert.deepEqual(
        updated.map(({ record, old_record }) => [record.canonical_symbol, old_record.canonical_symbol]),
        [["A50", "A50"]],
      );
      const deleted = await payloadsOf("delete from public.core_asset_registry_all where canonical_symbol ~ '^A'");
      assert.deepEqual(deleted.map(({ old_record }) => old_record.canonical_symbol), ["A1"]);
    });

    await test.step("a renamed asset carries its old row", async () => {
      await payloadsOf(
        "insert into public.core_asset_registry_all (canonical_symbol) values ('GBPUSD'), ('NZDUSD')",
      );
      const renamed = await payloadsOf(`
        update public.core_asset_registry_all
        set canonical_symbol = case canonical_symbol when 'GBPUSD' then 'CABLE' else canonical_symbol end
        where canonical_symbol in ('GBPUSD', 'NZDUSD')
      `);
      assert.deepEqual(
        renamed.map(({ record, old_record }) => [record.canonical_symbol, old_record.canonical_symbol]),
        [["CABLE", "GBPUSD"]],
      );
    });

    await test.step("an upsert posts what it inserted and what it updated", async () => {
      const upserted = await payloadsOf(`
        insert into public.core_asset_registry_all (canonical_symbol, description)
        values ('AUDUSD', 'new'), ('CABLE', 'changed')
        on conflict (canonical_symbol) do update set description = excluded.description
      `);
      assert.deepEqual(
        upserted.map(({ type, record }) => `${type} ${record.canonical_symbol}`).sort(),
        ["INSERT AUDUSD", "UPDATE CABLE"],
      );
    });

    for (
      const [what, sql] of Object.entries({
        "an update of no asset":
          "update public.core_asset_registry_all set active = true where canonical_symbol = 'NONE'",
        "an update that leaves every asset as it was": "update public.core_asset_registry_all set active = active",
        "an update of updated_at alone": "update public.core_asset_registry_all set updated_at = '2030-01-01 00:00+00'",
        "an insert of nothing": `insert into public.core_asset_registry_all (canonical_symbol) values ('DXY')
          on conflict do nothing`,
        "a delete of nothing": "delete from public.core_asset_registry_all where canonical_symbol = 'NONE'",
      })
    ) {
      await test.step(`${what} posts nothing`, async () => assert.deepEqual(await payloadsOf(sql), []));
    }

    await test.step("a change that is rolled back is not posted", async () => {
      await db.exec("begin; update public.core_asset_registry_all set description = 'never'; rollback");
      assert.deepEqual(await takeRequests(db), []);
    });
  });
}
