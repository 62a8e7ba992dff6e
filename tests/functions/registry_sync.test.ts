import assert from "node:assert/strict";
import type { Database } from "../../scripts/lib/database.ts";
import { ENGINES } from "../support/stack.ts";
import { fingerprint } from "./fingerprint.ts";
import { asset, webhook } from "./payloads.ts";

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`registry-sync makes tasks follow the registry (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const sync = (body: unknown) => stack.post("registry-sync", body);
    // What the function is for: changes that the registry's own triggers have not seen.
    await db.exec("alter table public.core_asset_registry_all disable trigger user");

    await test.step("with {} and with its name it syncs the database's own environment", async () => {
      await register(db, "EURUSD", { active: true, testActive: false });
      const unnamed = await sync({});
      assert.deepEqual([unnamed.status, unnamed.body.env, unnamed.body.symbols], [200, "prod", ["EURUSD"]]);
      assert.deepEqual(await tasks(db, "EURUSD"), ["1h on", "5m on"]);
      await setActive(db, "EURUSD", false);
      const named = await sync({ env: "prod" });
      assert.deepEqual([named.status, named.body.disabled, named.body.symbols], [200, 2, ["EURUSD"]]);
      const again = await sync({ env: "PROD" });
      assert.deepEqual([again.body.inserted_or_updated, again.body.symbols], [0, []]);
      assert.deepEqual(await tasks(db, "EURUSD"), ["1h off", "5m off"]);
    });

    await test.step("another environment is a 409, and changes nothing", async () => {
      await setActive(db, "EURUSD", true);
      const before = await fingerprint(db);
      const { status, body } = await sync({ env: "test" });
      assert.deepEqual([status, body.code], [409, "other_environment"]);
      assert.match(body.message, /environment "prod", not "test".*Nothing was changed.*\{\}/);
      assert.deepEqual(await fingerprint(db), before);
      assert.equal((await sync({})).body.reenabled, 2);
    });

    await test.step("which is another one is what the database itself says", async () => {
      for (const own of ["prod", "test"]) {
        await db.query("select public.schedule_jobs($1)", [own]);
        for (const env of ["dev", "DEV", "Test", "TEST", "prod", "PROD", "staging", "testing", "development"]) {
          const [row] = await db.query<{ same: boolean }>("select agg.is_test($1) = agg.is_test($2) as same", [
            own,
            env,
          ]);
          assert.equal((await sync({ env })).status, row!.same ? 200 : 409, `${env} in ${own}`);
        }
      }
      await db.query("select public.schedule_jobs('prod')");
      await sync({});
    });

    await test.step("an inserted asset gets its tasks, and the answer says which asset and how many", async () => {
      await register(db, "GBPUSD", { active: true, testActive: false });
      const { status, body } = await sync(webhook("INSERT", "core_asset_registry_all", asset("GBPUSD")));
      assert.equal(status, 200);
      assert.deepEqual(body, {
        env: "prod",
        symbols: ["GBPUSD"],
        inserted: 2,
        updated: 0,
        reenabled: 0,
        disabled: 0,
        inserted_or_updated: 2,
        refused: [],
      });
      assert.deepEqual(await tasks(db, "GBPUSD"), ["1h on", "5m on"]);
    });

    await test.step("an asset that no payload names is synced and named as well", async () => {
      await register(db, "AUDCAD", { active: true, testActive: false });
      const { body } = await sync(webhook("UPDATE", "core_asset_registry_all", asset("GBPUSD")));
      assert.deepEqual([body.symbols, body.inserted], [["AUDCAD", "GBPUSD"], 2]);
    });

    await test.step("an asset switched off loses them", async () => {
      await setActive(db, "GBPUSD", false);
      const { body } = await sync(
        webhook("UPDATE", "core_asset_registry_all", asset("GBPUSD", false), asset("GBPUSD")),
      );
      assert.deepEqual([body.symbols, body.disabled], [["GBPUSD"], 2]);
    });

    await test.step("a renamed asset is named by both names, a deleted one by its own", async () => {
      await db.query(
        "update public.core_asset_registry_all set canonical_symbol = 'CABLE', active = true where canonical_symbol = 'GBPUSD'",
      );
      const renamed = await sync(
        webhook("UPDATE", "core_asset_registry_all", asset("CABLE"), asset("GBPUSD", false)),
      );
      assert.deepEqual([renamed.body.symbols, renamed.body.inserted], [["CABLE", "GBPUSD"], 2]);
      await db.query("delete from public.core_asset_registry_all where canonical_symbol = 'CABLE'");
      const deleted = await sync(webhook("DELETE", "core_asset_registry_all", asset("CABLE")));
      assert.deepEqual([deleted.body.symbols, deleted.body.disabled], [["CABLE"], 2]);
    });

    await test.step("the same webhook five times, then fifty at once, writes once", async () => {
      await register(db, "AUDUSD", { active: true, testActive: false });
      const payload = webhook("INSERT", "core_asset_registry_all", asset("AUDUSD"));
      assert.equal((await sync(payload)).body.inserted, 2);
      const once = await fingerprint(db);
      for (let count = 0; count < 4; count++) assert.equal((await sync(payload)).body.inserted_or_updated, 0);
      assert.deepEqual(await fingerprint(db), once);

      await register(db, "NZDUSD", { active: true, testActive: false });
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => sync(webhook("INSERT", "core_asset_registry_all", asset("NZDUSD")))),
      );
      assert.deepEqual(answers.map(({ status }) => status), Array(50).fill(200));
      assert.equal(answers.reduce((sum, { body }) => sum + body.inserted, 0), 2);
      assert.deepEqual(await tasks(db, "NZDUSD"), ["1h on", "5m on"]);
    });

    await test.step("an asset that cannot be synced is named with its reason, and the others are synced", async () => {
      await db.query("update public.core_asset_registry_all set metadata = $1 where canonical_symbol = 'AUDUSD'", [
        { agg: { start_utc: "soon" } },
      ]);
      await register(db, "USDNOK", { active: true, testActive: false });
      const { body } = await sync(webhook("UPDATE", "core_asset_registry_all", asset("AUDUSD")));
      assert.equal(body.inserted, 2);
      assert.deepEqual(body.refused.map((refusal: { canonical_symbol: string }) => refusal.canonical_symbol), [
        "AUDUSD",
      ]);
      assert.match(body.refused[0].problem, /^agg\.start_utc must be an instant/);
    });

    await test.step("after a webhook it syncs the database's own environment", async () => {
      await db.query("select public.schedule_jobs('test')");
      await register(db, "USDSGD", { active: false, testActive: true });
      const { body } = await sync(webhook("INSERT", "core_asset_registry_all", asset("USDSGD", false)));
      assert.equal(body.env, "test");
      assert.deepEqual(await tasks(db, "USDSGD"), ["1h on", "5m on"]);
    });

    await test.step("with the triggers on there is nothing left for it to do", async () => {
      await db.exec("alter table public.core_asset_registry_all enable trigger user");
      await register(db, "USDHKD", { active: true, testActive: true });
      const { body } = await sync(webhook("INSERT", "core_asset_registry_all", asset("USDHKD")));
      assert.equal(body.inserted_or_updated, 0);
      assert.deepEqual(await tasks(db, "USDHKD"), ["1h on", "5m on"]);
    });
  });
}

async function register(
  db: Database,
  symbol: string,
  { active, testActive }: { active: boolean; testActive: boolean },
) {
  await db.query(
    "insert into public.core_asset_registry_all (canonical_symbol, active, test_active) values ($1, $2, $3)",
    [symbol, active, testActive],
  );
}

async function setActive(db: Database, symbol: string, active: boolean): Promise<void> {
  await db.query("update public.core_asset_registry_all set active = $2 where canonical_symbol = $1", [symbol, active]);
}

async function tasks(db: Database, symbol: string): Promise<string[]> {
  const rows = await db.query<{ task: string }>(
    `select s.timeframe || case when s.enabled then ' on' else ' off' end as task
     from public.data_agg_state as s where s.canonical_symbol = $1 order by 1`,
    [symbol],
  );
  return rows.map((row) => row.task);
}
