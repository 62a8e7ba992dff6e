import fc from "fast-check";
import assert from "node:assert/strict";
import { type DerivedTimeframe, firstWindow, leastCursor, MINUTE, windowOf } from "../../model/aggregator.ts";
import { type Asset, type AssetSketch, assetSketch, describeAsset, ORIGIN } from "../../model/histories.ts";
import { noise } from "../../model/noise.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { bootstrapAll, registerAssets } from "../support/assets.ts";
import { insertMinutes, readCursor, readDerived } from "../support/bars.ts";
import { checkProperty } from "../support/check_property.ts";
import { clearEngine, openEngine } from "../support/engine.ts";
import { catchUp, runBatches } from "./drivers.ts";
import { playScenario } from "./run_scenario.ts";
import { scenario } from "./scenarios.ts";

const RUNS = 9;
/** Long after every history. */
const END = new Date(ORIGIN + 90 * 24 * 60 * MINUTE);

Deno.test("catching up again from the start writes nothing and ends at the same cursors", async () => {
  await using engine = await openEngine();
  await checkProperty(RUNS, [scenario, fc.integer({ min: 1, max: 500 })], async (scenario, maxWindows) => {
    const { assets, end } = await playScenario(engine.db, scenario);
    const before = await readVersions(engine.db);
    for (const asset of assets) {
      const { symbol, rules, timeframes } = asset;
      for (const timeframe of timeframes) {
        const cursor = await readCursor(engine.db, symbol, timeframe);
        const start = new Date(windowOf(firstWindow(timeframe, rules).from - 1, timeframe, rules).from);
        const reached = await catchUpFrom(engine.db, symbol, timeframe, start, maxWindows, new Date(end));
        assert.equal(
          upToClock(asset, timeframe, new Date(reached).getTime(), end),
          upToClock(asset, timeframe, cursor, end),
          `${symbol} ${timeframe}: cursor`,
        );
      }
    }
    assert.deepEqual(await readVersions(engine.db), before, "no row got a new version");
  });
});

Deno.test("bars and cursors do not depend on the sizes of batches", async () => {
  await using engine = await openEngine();
  const sizes = fc.record({ limit: fc.integer({ min: 1, max: 20 }), batchWindows: fc.integer({ min: 20, max: 2000 }) });
  await checkProperty(
    RUNS,
    [fc.array(assetSketch, { minLength: 1, maxLength: 4 }), sizes, sizes],
    async (sketches, first, second) => {
      const assets = await load(engine.db, sketches, 0);
      await runBatches(engine.db, first, END);
      const once = await readState(engine.db, assets);
      await engine.db.exec("truncate public.derived_data_bars");
      await bootstrapAll(engine.db);
      await runBatches(engine.db, second, END);
      assert.deepEqual(await readState(engine.db, assets), once);
    },
  );
});

Deno.test("bars and cursors do not depend on the order in which rows were inserted", async () => {
  await using engine = await openEngine();
  const sizes = { limit: 1000, batchWindows: 100_000 };
  await checkProperty(
    RUNS,
    [fc.array(assetSketch, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat()],
    async (sketches, firstSeed, secondSeed) => {
      const assets = await load(engine.db, sketches, firstSeed);
      await runBatches(engine.db, sizes, END);
      const once = await readState(engine.db, assets);
      await load(engine.db, sketches, secondSeed);
      await runBatches(engine.db, sizes, END);
      assert.deepEqual(await readState(engine.db, assets), once);
    },
  );
});

async function load(db: Database, sketches: AssetSketch[], insertSeed: number): Promise<Asset[]> {
  await clearEngine(db);
  const assets = sketches.map((sketch, index) => describeAsset(sketch, `S${index}`));
  await registerAssets(db, assets);
  for (const { symbol, minutes } of assets) {
    await insertMinutes(db, symbol, minutes.toSorted((a, b) => noise(insertSeed, a.ts) - noise(insertSeed, b.ts)));
  }
  return assets;
}

async function readState(db: Database, assets: Asset[]) {
  const state = [];
  for (const asset of assets) {
    const { symbol, timeframes } = asset;
    for (const timeframe of timeframes) {
      state.push({
        symbol,
        timeframe,
        cursor: upToClock(asset, timeframe, await readCursor(db, symbol, timeframe), END.getTime()),
        bars: await readDerived(db, symbol, timeframe),
      });
    }
  }
  return state;
}

/** A cursor without the windows of a closed market that may be decided ahead of the clock `now`, or not yet. */
function upToClock({ rules, delaySeconds }: Asset, timeframe: DerivedTimeframe, cursor: number, now: number): number {
  return leastCursor(cursor, timeframe, rules, delaySeconds[timeframe], now);
}

/** The address of every row version of derived bars: a write of any kind changes it. */
async function readVersions(db: Database) {
  return await db.query(
    `select d.canonical_symbol, d.timeframe, d.ts_utc, d.ctid::text, d.xmin::text from public.derived_data_bars as d
     order by d.canonical_symbol, d.timeframe, d.ts_utc`,
  );
}

async function catchUpFrom(
  db: Database,
  symbol: string,
  timeframe: DerivedTimeframe,
  start: Date,
  maxWindows: number,
  now: Date,
): Promise<string> {
  let cursor = start.toISOString();
  while (true) {
    const result = await catchUp(db, symbol, timeframe, maxWindows, now, cursor);
    assert.equal(result.bars_written, 0, `${symbol} ${timeframe}: bars written again`);
    cursor = result.new_cursor;
    if (result.stopped_reason !== "max_windows") return cursor;
  }
}
