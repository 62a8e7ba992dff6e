import assert from "node:assert/strict";
import type { Database } from "../../scripts/lib/database.ts";
import { readValue } from "../support/dispatch.ts";
import { DATABASES, storeSecrets, takeRequests } from "./databases.ts";

const TRIGGERS = ["send_webhook_delete", "send_webhook_insert", "send_webhook_update"];

for (const [engine, openDatabase] of Object.entries(DATABASES)) {
  Deno.test(`install_webhooks() and remove_webhooks() (${engine})`, async (test) => {
    await using database = await openDatabase();
    const { db } = database;

    await test.step("the SQL that install_webhooks() gives for what is missing is all it takes", async () => {
      const { success, missing } = await install(db);
      assert.equal(success, false);
      for (const { remedy } of missing) await db.exec(remedy);
      assert.deepEqual(await install(db), {
        success: true,
        missing: [],
        message:
          "changes of core_asset_registry_all are posted to the URL in pgbars_registry_sync_url with the key in pgbars_registry_sync_key",
      });
      await db.exec("delete from vault.secrets");
      await storeSecrets(db, "http://127.0.0.1/registry-sync", "sb_secret_first");
    });

    await test.step("install_webhooks() may be repeated, and a change is still posted once", async () => {
      assert.equal((await install(db)).success, true);
      assert.deepEqual(await triggers(db), TRIGGERS);
      await describeDxy(db, "once");
      assert.equal((await takeRequests(db)).length, 1);
    });

    await test.step("URL and key changed in Vault alone are those of the next post", async () => {
      await db.exec(`
        update vault.secrets set secret = 'https://127.0.0.1:8443/sync?a=b' where name = 'pgbars_registry_sync_url';
        update vault.secrets set secret = 'sb_secret_second' where name = 'pgbars_registry_sync_key';
      `);
      await describeDxy(db, "rotated");
      const [request] = await takeRequests(db);
      assert.equal(request!.url, "https://127.0.0.1:8443/sync?a=b");
      assert.deepEqual(request!.headers, { "content-type": "application/json", apikey: "sb_secret_second" });
    });

    await test.step("neither URL nor key stands in a trigger", async () => {
      const definitions = await readValue<string>(
        db,
        "select string_agg(pg_get_triggerdef(t.oid), '') from pg_trigger as t where t.tgfoid = 'agg.send_webhook'::regproc",
      );
      assert.match(definitions, /pgbars_registry_sync_key/);
      assert.doesNotMatch(definitions, /sb_secret|127\.0\.0\.1/);
    });

    await test.step("other names replace those before, and a call that finds them missing changes nothing", async () => {
      assert.deepEqual(
        (await install(db, "it's", "key 2")).missing.map(({ what }) => what),
        ["the secret it's is missing", "the secret key 2 is missing"],
      );
      await describeDxy(db, "as before");
      assert.equal((await takeRequests(db))[0]!.headers["apikey"], "sb_secret_second");

      await db.exec(
        `select vault.create_secret('http://127.0.0.1:1/', 'it''s'), vault.create_secret('sb_secret_third', 'key 2')`,
      );
      assert.equal((await install(db, "it's", "key 2")).success, true);
      await describeDxy(db, "by other names");
      const requests = await takeRequests(db);
      assert.deepEqual(
        requests.map(({ url, headers }) => [url, headers["apikey"]]),
        [["http://127.0.0.1:1/", "sb_secret_third"]],
      );
    });

    await test.step("remove_webhooks() takes away what was set up, says so, and may be repeated", async () => {
      const remove = () => readValue(db, "select public.remove_webhooks()");
      assert.deepEqual(await remove(), { success: true, removed: TRIGGERS });
      assert.deepEqual(await triggers(db), []);
      assert.deepEqual(await remove(), { success: true, removed: [] });
      await describeDxy(db, "removed");
      assert.deepEqual(await takeRequests(db), []);
    });
  });
}

interface InstallResult {
  success: boolean;
  missing: { what: string; remedy: string }[];
  message: string;
}

function install(db: Database, ...names: string[]): Promise<InstallResult> {
  return readValue(db, `select public.install_webhooks(${names.map((_, index) => `$${index + 1}`)})`, names);
}

async function triggers(db: Database): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    "select t.tgname as name from pg_trigger as t where t.tgfoid = 'agg.send_webhook'::regproc order by 1",
  );
  return rows.map(({ name }) => name);
}

async function describeDxy(db: Database, description: string): Promise<void> {
  await db.query("update public.core_asset_registry_all set description = $1 where canonical_symbol = 'DXY'", [
    description,
  ]);
}
