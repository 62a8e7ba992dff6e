import assert from "node:assert/strict";
import { runDue } from "../support/dispatch.ts";
import { PAIRS } from "../support/pairs.ts";
import type { Stack } from "../support/stack.ts";
import { readStored, storeMinutes } from "./stored.ts";

const START = "2025-09-03T12:00:00.000Z";

/** Runs an example by its name, such as `read_bars`, with the variables, and returns what it prints on standard output. */
export type RunExample = (name: string, env: Record<string, string>) => Promise<string>;

/** The examples of docs/client.md print what they do. */
export async function checkExamples(test: Deno.TestContext, { url, keys, db }: Stack, run: RunExample): Promise<void> {
  const runExample = async (name: string) =>
    (await run(name, { SUPABASE_URL: url, SUPABASE_SECRET_KEY: keys.secret })).trim().split("\n");
  await db.query("insert into public.core_asset_registry_all (canonical_symbol, active) values ('EURUSD', true)");
  for (const symbol of PAIRS) await storeMinutes(db, symbol, START, 30);
  await db.query("delete from public.data_bars where canonical_symbol = 'USDSEK' and ts_utc = '2025-09-03 12:07+00'");

  await test.step("store_bars", async () => {
    const lines = ["1 inserted, 0 updated, 0 unchanged", "row 1: data_bars_high_covers"];
    assert.deepEqual(await runExample("store_bars"), lines);
  });

  await test.step("derive_dxy", async () => {
    assert.deepEqual(await runExample("derive_dxy"), ["29 inserted, 0 updated, 1 without all six pairs"]);
  });

  await test.step("read_bars", async () => {
    await runDue(db, new Date("2025-09-03T12:40Z"));
    const expected: string[] = [];
    for (const symbol of ["EURUSD", "DXY"]) {
      const bars = await readStored(db, { symbol, timeframe: "5m", from: START, to: "2025-09-03T12:30:00Z" });
      expected.push(
        ...bars.map(({ ts_utc, close, quality_score }) =>
          `${symbol} ${ts_utc.toISOString()} ${close} ${quality_score}`
        ),
      );
    }
    assert.equal(expected.length, 12);
    assert.deepEqual(await runExample("read_bars"), expected);
  });

  await test.step("get_bars", async () => {
    const dxy = await readStored(db, { symbol: "DXY", timeframe: "5m", from: START, to: "2025-09-03T12:30:00Z" });
    assert.deepEqual(await runExample("get_bars"), [
      // The minute that store_bars has stored, and the window before it.
      "EURUSD 2026-01-05T11:55:00.000Z 30.1 filled",
      "EURUSD 2026-01-05T12:00:00.000Z 1.088 forming",
      ...dxy.slice(-2).map(({ ts_utc, close }) => `DXY ${ts_utc.toISOString()} ${close} decided`),
    ]);
  });

  await test.step("subscribe_bars", async () => {
    const [dxy] = (await readStored(db, { symbol: "DXY", timeframe: "5m", from: START, to: "2025-09-03T12:30:00Z" }))
      .slice(-1);
    assert.deepEqual(await runExample("subscribe_bars"), [
      "EURUSD 2025-09-03T12:25:00.000Z 30.1",
      `DXY 2025-09-03T12:25:00.000Z ${dxy!.close}`,
    ]);
  });

  await test.step("as_of", async () => {
    await db.query(
      "update public.data_bars set high = 99, close = 99 where canonical_symbol = 'EURUSD' and ts_utc = '2025-09-03 12:29+00'",
    );
    await runDue(db, new Date("2025-09-03T12:41Z"));
    const lines = await runExample("as_of");
    assert.deepEqual(lines.filter((line) => line.startsWith("EURUSD")), [
      "EURUSD 5m 2025-09-03T12:25:00.000Z changed_minutes close was 30.1",
    ]);
    assert.ok(lines.includes("as of then: 30.1"));
  });
}
