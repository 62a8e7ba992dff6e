import assert from "node:assert/strict";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { PAIRS } from "../support/pairs.ts";
import { ENGINES } from "../support/stack.ts";
import { loadMarket, type Market, rolledBack } from "../support/market.ts";
import { readStatements } from "./read_statements.ts";

const MINUTE = 60_000;

// The statements are SQL, and no engine knows another one: the tests of what they call run on all engines.
for (const [engine, openStack] of Object.entries(ENGINES).filter(([engine]) => engine !== "PGlite")) {
  Deno.test(`the statements of the DXY migration answer as it expects (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db } = stack;
    const supabase = createClient(stack.url, stack.keys.secret);
    const statements = await readStatements("dxy_migration.sql");
    const run = async <T = Record<string, unknown>>(name: string, params?: unknown[]) =>
      await db.query<T>(statements.get(name), params);
    let market: Market;
    const statusOf = async (name: string) => (await run<{ status: string }>(name)).map(({ status }) => status);

    await test.step("2.3: the registry entry, before there are bars", async () => {
      await run("2.3 registry");
      market = await loadMarket(db);
      const tasks = await db.query(
        `select s.timeframe, s.basket ->> 'formula_base' as base from data_agg_state as s
         where s.canonical_symbol = 'DXY' and s.enabled order by s.run_interval_minutes`,
      );
      assert.deepEqual(tasks, [
        { timeframe: "1m", base: "50.14348112" },
        { timeframe: "5m", base: null },
        { timeframe: "1h", base: null },
      ]);
    });

    await test.step("1.1, 1.3 and 1.4: environment, snapshot, invariants", async () => {
      const [bars, derived] = await run<{ table_name: string; rows: number; dxy_1m: number }>("1.1 state");
      assert.equal(bars!.table_name, "data_bars");
      assert.equal(bars!.dxy_1m, market.minutes);
      assert.deepEqual([derived!.table_name, derived!.dxy_1m], ["derived_data_bars", 0]);
      assert.ok(derived!.rows > 0);

      await run("1.3 snapshot");
      const snapshot = await db.query<{ line: string }>(
        `select concat_ws(' ', p.table_name, p.canonical_symbol, p.timeframe) as line from pre_migration_snapshot as p order by 1`,
      );
      assert.deepEqual(snapshot.map(({ line }) => line), [
        "data_bars DXY 1m",
        "data_bars EURUSD 1m",
        "data_bars USDJPY 1m",
        "derived_data_bars DXY 1h",
        "derived_data_bars DXY 5m",
        "derived_data_bars EURUSD 1h",
        "derived_data_bars EURUSD 5m",
        "derived_data_bars USDJPY 1h",
        "derived_data_bars USDJPY 5m",
      ]);

      const key = await run<{ column_name: string }>("1.4 uniqueness");
      assert.deepEqual(key.map(({ column_name }) => column_name).sort(), ["canonical_symbol", "timeframe", "ts_utc"]);
      const [check, ...others] = await run<{ constraint_name: string; check_clause: string }>("1.4 source");
      assert.deepEqual([check!.constraint_name, others], ["data_bars_source_check", []]);
      assert.match(check!.check_clause, /massive_api.*ingest.*synthetic/);
    });

    await test.step("3.1 and 3.2: the migrated bars", async () => {
      assert.deepEqual(await run("3.1 counts"), [{ count: 0 }]);
      const checks = await run<{ check_name: string; value: string; unit: string }>("3.2 verification");
      const value = new Map(checks.map((check) => [check.check_name, Number(check.value)]));
      assert.equal(value.get("data_bars 1m count")!, market.minutes);
      assert.ok(value.get("data_bars 1m date range")! >= 8);
      assert.equal(value.get("synthetic source count"), value.get("data_bars 1m count"));
      assert.ok(value.get("DXY price range (min)")! > 80 && value.get("DXY price range (max)")! < 120);
      assert.equal(value.get("derived_data_bars active DXY 1m"), 0);

      const details = await run<{ metric: string; count: number; earliest: Date | null }>("3.2 details");
      assert.deepEqual(details.map(({ metric }) => metric), [
        "DXY 1m bars in data_bars",
        "DXY 1m bars in derived (active)",
        "DXY 1m bars in derived (deleted)",
      ]);
      assert.equal(details[0]!.count, market.minutes);
      assert.deepEqual(details.slice(1).map(({ count, earliest }) => [count, earliest]), [[0, null], [0, null]]);
    });

    await test.step("6.1 and 6.2: what to look at after the deployment", async () => {
      const [fresh] = await run<{ count: number; max: Date }>("6.1 new bars");
      assert.ok(fresh!.count >= 3);
      assert.deepEqual(await statusOf("6.2 check 1"), ["PASS (fresh)"]);
      assert.deepEqual(await statusOf("6.2 check 2"), ["PASS"]);
      assert.deepEqual(await statusOf("6.2 check 3"), ["PASS"]);
      assert.deepEqual(await statusOf("6.2 check 4"), ["PASS"]);
      assert.deepEqual(await statusOf("6.2 check 5"), ["PASS"]);
    });

    await test.step("appendix: the commands that verify", async () => {
      const [place] = await run<{ count: number }>("appendix place");
      assert.equal(place!.count, market.minutes);
      const [latest] = await run<{ max: Date }>("appendix freshness");
      assert.ok(Date.now() - latest!.max.getTime() < 5 * MINUTE);
      assert.deepEqual(await run("appendix orphans"), [{ count: 0 }]);
    });

    await test.step("agg_check() says the same of all of it", async () => {
      const found = await db.query<{ check: string; status: string; value: string }>(
        `select c."check", c.status, c.value from agg_check() as c where c.status <> 'PASS'`,
      );
      assert.deepEqual(found, []);
    });

    await test.step("5.2: the pipeline, without keeping what it does", async () => {
      await rolledBack(db, async () => {
        const pairs = await run<{ canonical_symbol: string; bars: number }>("5.2 step 1");
        assert.deepEqual(pairs.map(({ canonical_symbol }) => canonical_symbol).sort(), [...PAIRS].sort());
        assert.ok(pairs.every(({ bars }) => bars >= 58));
        const [derived] = await run<{ derivation_result: Record<string, unknown> }>("5.2 step 2");
        assert.equal(derived!.derivation_result["success"], true);
        const [made] = await run<{ new_dxy_bars: number }>("5.2 step 3");
        assert.ok(made!.new_dxy_bars >= 58);
        const bars = await run<{ close: number; vol: number }>("5.2 step 4");
        assert.equal(bars.length, 5);
        assert.ok(bars.every(({ close, vol }) => close > 80 && close < 120 && vol === 0));
      });
    });

    await test.step("4.1 and 5.1: the call of the tick factory writes to data_bars", async () => {
      const from = new Date("2025-01-13T00:00:00Z");
      const to = new Date("2025-01-13T01:00:00Z");
      await db.query(
        `insert into data_bars (canonical_symbol, ts_utc, open, high, low, close)
         select b.canonical_symbol, b.ts_utc - interval '365 days', b.open, b.high, b.low, b.close
         from data_bars as b
         where b.canonical_symbol = any ($1) and b.ts_utc >= '2026-01-13 00:00+00' and b.ts_utc < '2026-01-13 01:00+00'`,
        [PAIRS],
      );
      const result = await deriveDxyForWindow(supabase, from, to);
      assert.equal(result["success"], true);
      assert.ok(Number(result["inserted"]) > 0 || Number(result["updated"]) > 0);
      assert.equal(result["derivation_version"], 1);
      const [count] = await run<{ count: number }>("5.1 written", [from, to]);
      assert.ok(count!.count > 0);
      // The documents write each bar again; here a bar that comes out the same is not written.
      const repeated = await deriveDxyForWindow(supabase, from, to);
      assert.deepEqual([repeated["inserted"], repeated["updated"], repeated["unchanged"]], [0, 0, 60]);
    });

    await test.step("4.2 and 5.1: the aggregator reads one table", async () => {
      const range = [new Date("2025-01-13T00:00:00Z"), new Date("2025-01-13T01:00:00Z")];
      const bars = await run<{ ts_utc: Date; close: number }>("4.2 aggregator", ["DXY", ...range]);
      assert.equal(bars.length, 60);
      assert.ok(bars.every(({ ts_utc, close }) => ts_utc !== null && close > 80 && close < 120));
    });

    await test.step("4.3: the signal engine asks for DXY as for any asset", async () => {
      const from = new Date(market.end.getTime() - 30 * MINUTE);
      const symbols = ["EURUSD", "GBPUSD", "DXY", "GOLD", "BITCOIN"];
      const bars = await fetch1mBars(supabase, symbols, from, market.end);
      assert.equal(bars.length, symbols.length * 30);
      assert.deepEqual([...new Set(bars.map(({ canonical_symbol }) => canonical_symbol))], symbols.toSorted());
      assert.deepEqual(
        [...new Set(bars.filter((bar) => bar.canonical_symbol === "DXY").map(({ source }) => source))],
        ["synthetic"],
      );
    });

    statements.assertAllUsed();
  });
}

/** As in 4.1, where it is Python. */
async function deriveDxyForWindow(supabase: SupabaseClient, from: Date, to: Date): Promise<Record<string, unknown>> {
  const result = await supabase.rpc("calc_dxy_range_1m", {
    p_from_utc: from.toISOString(),
    p_to_utc: to.toISOString(),
    p_derivation_version: 1,
  });
  if (!result.data?.["success"]) throw new Error(`DXY derivation failed: ${result.error?.message ?? "unknown"}`);
  return result.data;
}

interface BarData {
  canonical_symbol: string;
  source: string;
}

/** As in 4.3. */
async function fetch1mBars(supabase: SupabaseClient, symbols: string[], fromTs: Date, toTs: Date): Promise<BarData[]> {
  const { data, error } = await supabase
    .from("data_bars")
    .select("canonical_symbol, ts_utc, open, high, low, close, vol, source")
    .in("canonical_symbol", symbols)
    .eq("timeframe", "1m")
    .gte("ts_utc", fromTs.toISOString())
    .lt("ts_utc", toTs.toISOString())
    .order("canonical_symbol")
    .order("ts_utc");

  if (error) throw error;
  return data;
}
