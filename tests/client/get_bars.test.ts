import assert from "node:assert/strict";
import type { GetBarsQuery, ReadBar } from "../../client/mod.ts";
import { ENGINES } from "../support/stack.ts";
import { runDue } from "../support/dispatch.ts";
import { connect } from "./connection.ts";
import { storeMinutes } from "./stored.ts";

const START = "2025-07-01T00:00:00.000Z";
const minute = (count: number) => new Date(Date.parse(START) + count * 60_000);
const NOW = minute(2400);

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`getBars() and getChanges() (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db, url, keys } = stack;
    const pgbars = connect(url, keys.secret);
    await db.exec(
      `insert into public.core_asset_registry_all (canonical_symbol, active) values ('LONG', true), ('SHORT', true)`,
    );
    await storeMinutes(db, "LONG", START, 2348);
    await storeMinutes(db, "SHORT", START, 3);
    await db.query("delete from public.data_bars where ts_utc >= $1 and ts_utc < $2", [minute(2310), minute(2320)]);
    await runDue(db, minute(2349));
    const label = ({ canonical_symbol, ts_utc, is_filled, is_forming }: ReadBar) =>
      `${canonical_symbol} ${(ts_utc.getTime() - Date.parse(START)) / 60_000}${
        is_filled ? "f" : is_forming ? "p" : ""
      }`;

    await test.step("all pages of a range, symbols in the order asked for", async () => {
      const bars = await pgbars.getBars({
        symbols: ["SHORT", "LONG", "UNKNOWN", "SHORT"],
        timeframe: "1m",
        from: START,
      });
      assert.equal(bars.length, 3 + 2338);
      assert.deepEqual(bars.slice(0, 4).map(label), ["SHORT 0", "SHORT 1", "SHORT 2", "LONG 0"]);
      assert.equal(label(bars.at(-1)!), "LONG 2347");
      assert.deepEqual(new Set(bars.map(label)).size, bars.length);
    });

    await test.step("[from, to)", async () => {
      const bars = await pgbars.getBars({ symbols: ["LONG"], timeframe: "5m", from: minute(5), to: minute(15) });
      assert.deepEqual(bars.map(label), ["LONG 5", "LONG 10"]);
      const { updated_at, ...bar } = bars[0]!;
      assert.ok(updated_at instanceof Date);
      assert.deepEqual(bar, {
        canonical_symbol: "LONG",
        timeframe: "5m",
        ts_utc: minute(5),
        open: 6,
        high: 11,
        low: 0.5,
        close: 10.1,
        vol: 35,
        vwap: null,
        trade_count: 35,
        quality_score: 2,
        covered_minutes: 5,
        expected_minutes: 5,
        is_partial: false,
        is_filled: false,
        is_forming: false,
      });
    });

    await test.step("the latest, in one request", async () => {
      const asked = pgbars.urls.length;
      const bars = await pgbars.getBars({ symbols: ["SHORT", "LONG"], timeframe: "1m", last: 2 });
      assert.deepEqual(bars.map(label), ["SHORT 1", "SHORT 2", "LONG 2346", "LONG 2347"]);
      assert.equal(pgbars.urls.length, asked + 1);
    });

    await test.step("more of the latest than a page holds", async () => {
      const bars = await pgbars.getBars({ symbols: ["LONG", "SHORT"], timeframe: "1m", last: 1500 });
      assert.deepEqual([bars.length, label(bars[0]!), label(bars.at(-1)!)], [1503, "LONG 838", "SHORT 2"]);
    });

    await test.step("with windows without a bar, and with the one that is not decided", async () => {
      const bars = await pgbars.getBars({
        symbols: ["LONG"],
        timeframe: "5m",
        from: minute(2305),
        fill: true,
        forming: true,
      });
      assert.deepEqual(bars.map(label), [
        ...["LONG 2305", "LONG 2310f", "LONG 2315f", "LONG 2320", "LONG 2325", "LONG 2330", "LONG 2335"],
        ...["LONG 2340p", "LONG 2345p"],
      ]);
      assert.deepEqual([bars[1]!.updated_at, bars[1]!.close, bars[1]!.vol], [null, 2310.1, 0]);
    });

    await test.step("as they were, and what changed", async () => {
      const from = new Date();
      await db.query("update public.data_bars set close = 0.5 where canonical_symbol = 'LONG' and ts_utc = $1", [
        minute(9),
      ]);
      await runDue(db, NOW);
      const changes = await pgbars.getChanges({ from });
      assert.deepEqual(
        changes.map((
          { timeframe, ts_utc, reason, before, after },
        ) => [timeframe, ts_utc, reason, before?.close, after?.close]),
        [["5m", minute(5), "changed_minutes", 10.1, 0.5]],
      );
      const [{ changed_at, seen_from }] = changes as [typeof changes[number]];
      assert.ok(seen_from < from && from <= changed_at);
      assert.deepEqual(await pgbars.getChanges({ from, symbols: ["SHORT"] }), []);
      assert.deepEqual(await pgbars.getChanges({ from, timeframe: "1h" }), []);
      const close = async (query: Partial<GetBarsQuery>) =>
        (await pgbars.getBars({ symbols: ["LONG"], timeframe: "5m", from: minute(5), to: minute(10), ...query }))[0]
          ?.close;
      assert.deepEqual([await close({}), await close({ asOf: from }), await close({ asOf: new Date() })], [
        0.5,
        10.1,
        0.5,
      ]);
    });

    await test.step("what makes no sense is refused", async () => {
      const problems: [Partial<GetBarsQuery>, RegExp][] = [
        [{}, /^getBars: give either from or last$/],
        [{ from: START, last: 3 }, /^getBars: give either from or last$/],
        [{ last: 0 }, /^getBars: last must be a whole number above 0, not 0$/],
        [{ from: "soon" }, /^getBars: from \("soon"\) must be a date and time with its zone/],
        [{ from: minute(5), to: minute(5) }, /^getBars: from .* must be before to/],
        [{ last: 1, asOf: "2025-07-01" }, /^getBars: asOf/],
        [{ last: 1, symbols: [3 as unknown as string] }, /symbols must be an array of strings, and 3 is not one/],
        [{ last: 1, timeframe: 5 as unknown as string }, /^getBars: timeframe must be text/],
      ];
      for (const [query, message] of problems) {
        await assert.rejects(pgbars.getBars({ symbols: ["LONG"], timeframe: "5m", ...query }), { message });
      }
      await assert.rejects(pgbars.getBars({ symbols: ["LONG"], timeframe: "1m", last: 1, asOf: START }), {
        name: "PgbarsError",
        message: /p_as_of cannot be had with 1m: data_bars keeps no revisions/,
      });
      await assert.rejects(pgbars.getChanges({ from: "soon" }), { message: /^getChanges: from/ });
    });

    await test.step("a signed-in user reads after grant_read_access", async () => {
      const user = connect(url, keys.publishable, { userToken: await stack.userToken() });
      const query = { symbols: ["LONG"], timeframe: "5m", last: 2, fill: true, forming: true };
      await assert.rejects(user.getBars(query), { code: "42501" });
      await db.query("select public.grant_read_access('authenticated')");
      assert.deepEqual(await user.getBars(query), await pgbars.getBars(query));
      assert.deepEqual(await user.getChanges({ from: START }), await pgbars.getChanges({ from: START }));
    });
  });
}
