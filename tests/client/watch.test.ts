import assert from "node:assert/strict";
import { ENGINES } from "../support/stack.ts";
import { runDue } from "../support/dispatch.ts";
import { connect } from "./connection.ts";
import { storeMinutes } from "./stored.ts";

const START = "2025-07-01T00:00:00.000Z";
const minute = (count: number) => new Date(Date.parse(START) + count * 60_000);

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`what a dashboard reads (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db, url, keys } = stack;
    const pgbars = connect(url, keys.secret);
    await db.exec(`
      update public.core_asset_registry_all set active = false;
      insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
      values ('ACME', true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z", "optional": ["1d"]}}');
      insert into agg.alert (kind, canonical_symbol, timeframe, severity, message, raised_at, resolved_at)
      values
        ('no_data', 'ACME', '1m', 'critical', 'silent', '2025-07-01 03:00+00', null),
        ('slow', '*', '*', 'warning', 'slow', '2025-07-01 01:00+00', '2025-07-01 02:00+00');
    `);
    await storeMinutes(db, "ACME", START, 120);
    await runDue(db, minute(180));

    await test.step("the fleet", async () => {
      const { assets, timeframes, states, look, looks, now, paused, tasks } = await pgbars.getFleet();
      assert.deepEqual(timeframes, ["5m", "1h", "1d"]);
      assert.deepEqual(assets.map(({ symbol, attention }) => [symbol, attention]), [["ACME", 3]]);
      assert.deepEqual(assets[0]!.cells.map((cell) => cell!.timeframe), timeframes);
      assert.equal(typeof states[assets[0]!.cells[0]!.state], "string");
      assert.ok(look.some(({ state, explanation }) => state === "no_data" && explanation === "silent"));
      assert.ok(looks >= look.length);
      assert.ok(Math.abs(now.getTime() - Date.now()) < 60_000);
      assert.equal(paused, null);
      assert.equal(tasks.reduce((sum, count) => sum + count, 0), 3);
    });

    await test.step("an asset", async () => {
      const tasks = await pgbars.getAsset("ACME");
      assert.deepEqual(tasks.map(({ timeframe }) => timeframe), ["1m", "5m", "1h", "1d"]);
      assert.deepEqual([tasks[0]!.state, tasks[0]!.attention, tasks[0]!.decided_to_utc], [null, 3, minute(120)]);
      assert.deepEqual(await pgbars.getAsset("NONE"), []);
    });

    await test.step("checks, alerts and runs", async () => {
      const [verdict, ...found] = await pgbars.getChecks();
      assert.equal(verdict!.check, "verdict");
      assert.ok(found.every(({ status }) => status !== "PASS"));
      assert.ok((await pgbars.getChecks({ all: true })).length > found.length + 1);
      assert.deepEqual((await pgbars.getAlerts()).map(({ kind, raised_at }) => [kind, raised_at]), [
        ["no_data", minute(180)],
      ]);
      assert.deepEqual((await pgbars.getAlerts({ openOnly: false }))[1]!.resolved_at, minute(120));
      const [run, ...others] = await pgbars.getRuns({ limit: 1 });
      assert.ok(run!.started_at <= run!.finished_at);
      assert.deepEqual(others, []);
    });

    await test.step("why a bar is as it is", async () => {
      const rows = await pgbars.explain("ACME", "5m", minute(7));
      assert.deepEqual(rows.find(({ item }) => item === "minutes"), {
        item: "minutes",
        value: "5 of 5, quality 2 (excellent: every minute)",
      });
    });

    await test.step("what bars that changed have been, whatever a page holds", async () => {
      await db.exec(
        "update public.data_bars set close = 0.5 where ts_utc in ('2025-07-01 00:09Z', '2025-07-01 00:14Z')",
      );
      await runDue(db, minute(180));
      await db.exec("update public.data_bars set close = 0.7 where ts_utc = '2025-07-01 00:14Z'");
      await runDue(db, minute(180));
      const query = { symbol: "ACME", timeframe: "5m", from: START, to: minute(60) };
      const versions = await pgbars.getBarVersions(query);
      assert.deepEqual(
        versions.map(({ ts_utc, close, reason }) => [(ts_utc.getTime() - Date.parse(START)) / 60_000, close, reason]),
        [
          [10, 15.1, "changed_minutes"],
          [10, 0.5, "changed_minutes"],
          [10, 0.7, null],
          [5, 10.1, "changed_minutes"],
          [5, 0.5, null],
        ],
      );
      assert.deepEqual(versions[0]!.replaced_at, versions[1]!.written_at);
      for (const maxRows of [3, 4]) {
        assert.deepEqual(await connect(url, keys.secret, { maxRows }).getBarVersions(query), versions);
      }
      assert.deepEqual(await pgbars.getBarVersions({ ...query, to: minute(5) }), []);
      assert.deepEqual(
        await pgbars.getBarVersions({ ...query, to: minute(15), from: minute(10) }),
        versions.slice(0, 3),
      );
    });

    await test.step("a signed-in user reads it once operations access is granted", async () => {
      const user = connect(url, keys.publishable, { userToken: await stack.userToken() });
      await assert.rejects(user.getFleet(), { code: "42501" });
      await db.query("select public.grant_operations_access('authenticated')");
      assert.equal((await user.getFleet()).assets.length, 1);
      assert.equal((await user.getAsset("ACME")).length, 4);
      assert.ok((await user.explain("ACME", "5m", minute(7))).length > 0);
      await assert.rejects(user.getBarVersions({ symbol: "ACME", timeframe: "5m", from: START }), { code: "42501" });
      await db.query("select public.grant_read_access('authenticated')");
      assert.equal((await user.getBarVersions({ symbol: "ACME", timeframe: "5m", from: START })).length, 5);
    });
  });
}
