import assert from "node:assert/strict";
import { openServer } from "../../scripts/lib/database.ts";
import { readValue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";
import { addStandIns, DATABASES, storeSecrets } from "./databases.ts";

/** Each takes away more of what sending needs; none names the secrets' values. */
const MISHAPS: [string, string, RegExp][] = [
  [
    "pg_net refuses the request",
    "alter table net.http_request_queue add constraint refused check (false)",
    /http_request_queue/,
  ],
  [
    "the URL is none any more",
    "update vault.secrets set secret = 'nowhere' where name ~ 'url'",
    /is not an http\(s\) URL/,
  ],
  ["a secret is gone", "delete from vault.secrets where name ~ 'key'", /pgbars_registry_sync_key is missing/],
  ["pg_net is gone", "drop schema net cascade", /pg_net is missing/],
  ["Vault is gone", "drop schema vault cascade", /supabase_vault is missing/],
];
const KEY = "sb_secret_never_shown";

for (const [engine, openDatabase] of Object.entries(DATABASES)) {
  Deno.test(`the registry is written whatever keeps a webhook from being sent (${engine})`, async (test) => {
    await using database = await openDatabase();
    const { db } = database;
    await storeSecrets(db, "http://127.0.0.1/registry-sync", KEY);
    await db.query("select public.install_webhooks()");
    for (const [mishap, sql] of MISHAPS) {
      await test.step(mishap, async () => {
        await db.exec(sql);
        await db.query("update public.core_asset_registry_all set description = $1 where canonical_symbol = 'DXY'", [
          mishap,
        ]);
        assert.equal(
          await readValue(
            db,
            "select description from public.core_asset_registry_all where canonical_symbol = 'DXY'",
          ),
          mishap,
        );
      });
    }
  });
}

Deno.test("what keeps a webhook from being sent is a warning, which does not show the key", async (test) => {
  await using engine = await openEngine();
  await addStandIns(engine.db);
  await storeSecrets(engine.db, "http://127.0.0.1/registry-sync", KEY);
  await engine.db.query("select public.install_webhooks()");
  const notices: string[] = [];
  const session = await openServer(engine.url, { onNotice: (message) => notices.push(message) });
  try {
    for (const [mishap, sql, expected] of MISHAPS) {
      await test.step(mishap, async () => {
        await engine.db.exec(sql);
        notices.length = 0;
        await session.query("update public.core_asset_registry_all set description = $1", [mishap]);
        assert.equal(notices.length, 1);
        assert.match(notices[0]!, /^a change of core_asset_registry_all was not sent: /);
        assert.match(notices[0]!, expected);
        assert.doesNotMatch(notices[0]!, new RegExp(KEY));
      });
    }
  } finally {
    await session.close();
  }
});
