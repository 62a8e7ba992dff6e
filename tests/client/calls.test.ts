import assert from "node:assert/strict";
import { PgbarsError } from "../../client/mod.ts";
import { runDue } from "../support/dispatch.ts";
import { PAIRS } from "../support/pairs.ts";
import { ENGINES } from "../support/stack.ts";
import { connect } from "./connection.ts";
import { readStored, storeMinutes } from "./stored.ts";

const START = "2025-07-01T00:00:00.000Z";

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`deriveDxyForWindow() derives minutes (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const pgbars = connect(stack.url, stack.keys.secret);
    for (const symbol of PAIRS) await storeMinutes(db, symbol, START, 10);
    await db.query("delete from public.data_bars where canonical_symbol = 'USDSEK' and ts_utc = '2025-07-01 00:03+00'");

    await test.step("of [from, to), and says what became of each", async () => {
      const counts = await pgbars.deriveDxyForWindow("2025-07-01T02:00+02:00", new Date("2025-07-01T00:06Z"));
      assert.deepEqual(counts, { inserted: 5, updated: 0, unchanged: 0, removed: 0, skipped_incomplete: 1 });
      const again = await pgbars.deriveDxyForWindow(START, "2025-07-01T00:07Z");
      assert.deepEqual(again, { inserted: 1, updated: 0, unchanged: 5, removed: 0, skipped_incomplete: 1 });
    });

    await test.step("that fetchBars() reads as it reads all others, 1m and 5m", async () => {
      await pgbars.syncRegistry();
      await runDue(db, new Date("2025-07-01T00:20Z"));
      const window = { from: START, to: "2025-07-01T00:20:00.000Z" };
      for (const [timeframe, count] of [["1m", 9], ["5m", 2]] as const) {
        const bars = await pgbars.fetchBars({ symbols: ["DXY"], timeframe, ...window });
        assert.deepEqual(bars, await readStored(db, { symbol: "DXY", timeframe, ...window }));
        assert.equal(bars.length, count);
      }
      const [dxy, eurusd] = await Promise.all(
        ["DXY", "EURUSD"].map((symbol) => pgbars.fetch1mBars({ symbols: [symbol], ...window })),
      );
      assert.deepEqual(Object.keys(dxy![0]!), Object.keys(eurusd![0]!));
    });

    await test.step("and throws when the database refuses", async () => {
      await db.query("delete from public.core_asset_registry_all where canonical_symbol = 'DXY'");
      await assert.rejects(pgbars.deriveDxyForWindow(START, "2025-07-01T00:07Z"), (error) => {
        assert.ok(error instanceof PgbarsError);
        assert.equal(error.code, "P0002");
        assert.match(error.message, /^deriveDxyForWindow failed \(.*P0002\): DXY is not a synthetic asset/);
        assert.match(error.hint ?? "", /is_synthetic/);
        return true;
      });
    });

    await test.step("and refuses a range that does not make sense, without a request", async () => {
      const before = pgbars.urls.length;
      await assert.rejects(pgbars.deriveDxyForWindow(START, START), {
        name: "RangeError",
        message: /^deriveDxyForWindow/,
      });
      await assert.rejects(pgbars.deriveDxyForWindow("today", START), {
        name: "TypeError",
        message: /: from \("today"\) must be/,
      });
      assert.equal(pgbars.urls.length, before);
    });
  });

  Deno.test(`syncRegistry() makes tasks follow the registry (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const pgbars = connect(stack.url, stack.keys.secret);
    // Past the triggers, as an older deployment may have left them.
    await db.exec(`
      begin;
      set local session_replication_role = replica;
      delete from public.data_agg_state;
      delete from public.core_asset_registry_all;
      insert into public.core_asset_registry_all (canonical_symbol, asset_class, active, test_active, metadata) values
        ('EURUSD', 'fx', true, false, '{}'), ('BTCUSD', 'crypto', false, true, '{}'),
        ('USDJPY', 'fx', true, false, '{"agg": {"start": "2026"}}');
      commit;
    `);

    await test.step("of prod in a database without another environment, and names the metadata that it left out", async () => {
      const { refused, ...rest } = await pgbars.syncRegistry();
      const counts = { inserted: 4, updated: 0, reenabled: 0, disabled: 0 };
      assert.deepEqual(rest, { env: "prod", ...counts, symbols: ["EURUSD", "USDJPY"] });
      assert.deepEqual(refused.map((asset) => [asset.canonical_symbol, asset.leaves_out]), [["USDJPY", "key"]]);
      assert.match(refused[0]!.problem, /start/);
      assert.equal((await pgbars.syncRegistry("prod")).inserted, 0);
    });

    await test.step("of the environment that is given", async () => {
      const { env, symbols } = await pgbars.syncRegistry("test");
      assert.deepEqual([env, symbols], ["test", ["BTCUSD", "EURUSD", "USDJPY"]]);
      const enabled = await db.query<{ canonical_symbol: string }>(
        "select distinct s.canonical_symbol from public.data_agg_state as s where s.enabled",
      );
      assert.deepEqual(enabled, [{ canonical_symbol: "BTCUSD" }]);
    });

    await test.step("of the environment of the database where none is given", async () => {
      await db.query("select public.schedule_jobs('test')");
      const { env, symbols } = await pgbars.syncRegistry();
      assert.deepEqual([env, symbols], ["test", []]);
    });
  });
}
