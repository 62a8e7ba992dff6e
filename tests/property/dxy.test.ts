import fc from "fast-check";
import assert from "node:assert/strict";
import {
  aggregate,
  type Bar,
  cursorAfterCatchup,
  DEFAULT_DELAYS,
  defaultRules,
  expectAt,
  MINUTE,
} from "../../model/aggregator.ts";
import { basketTolerance } from "../../model/basket.ts";
import { dollarMinute, type Pair, PAIRS } from "../../model/dxy.ts";
import { noise } from "../../model/noise.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { insertMinutes, readCursor, readDerived, readMinutes } from "../support/bars.ts";
import { checkProperty } from "../support/check_property.ts";
import { assertBars } from "../support/reference.ts";
import { openEngine } from "../support/engine.ts";
import { runBatches } from "./drivers.ts";

const RUNS = 60;
const ORIGIN = Date.parse("2025-10-27T00:00:00Z");

Deno.test("calc_dxy_range_1m() gives the two check values of the index", async () => {
  await using engine = await openEngine();
  const check = { EURUSD: 1.2976, USDJPY: 79.846, GBPUSD: 1.5947, USDCAD: 0.9929, USDSEK: 6.6491, USDCHF: 0.9331 };
  for (const pair of PAIRS) {
    await insertMinutes(engine.db, pair, [flatBar(ORIGIN, 1), flatBar(ORIGIN + MINUTE, check[pair])]);
  }
  await calculate(engine.db, ORIGIN, ORIGIN + 2 * MINUTE, 1);
  const closes = (await readMinutes(engine.db, "DXY")).map((bar) => bar.close);
  assert.equal(closes.length, 2);
  assert.equal(closes[0], 50.14348112);
  assert.equal(closes[1]!.toFixed(6), "79.951174");
});

/** For each minute from ORIGIN on, which of the pairs have a bar, as bits. */
const presence = fc.array(
  fc.oneof({ weight: 5, arbitrary: fc.constant(63) }, { weight: 2, arbitrary: fc.nat(63) }),
  { minLength: 1, maxLength: 150 },
);

Deno.test("calc_dxy_range_1m() follows the formula at random rates, to 8 decimals", async () => {
  await using engine = await openEngine();
  await checkProperty(RUNS, [presence, fc.nat(), fc.constantFrom(1, 2)], async (presence, seed, version) => {
    await engine.db.exec("truncate public.data_bars");
    const minutes = presence.map((mask, index) => ratesAt(ORIGIN + index * MINUTE, mask, seed));
    await insertRates(engine.db, minutes);
    const end = ORIGIN + presence.length * MINUTE;
    const expected = minutes.flatMap(({ ts, bars }) => {
      const prices = dollarMinute(bars);
      return prices ? [{ ts, ...prices }] : [];
    });
    const incomplete = minutes.filter(({ bars }) => Object.keys(bars).length > 0).length - expected.length;

    const first = await calculate(engine.db, ORIGIN, end, version);
    assert.deepEqual(
      [first.inserted, first.updated, first.unchanged, first.skipped_incomplete],
      [expected.length, 0, 0, incomplete],
    );
    const stored = await readMinutes(engine.db, "DXY");
    assert.deepEqual(stored.map((bar) => bar.ts), expected.map((minute) => minute.ts));
    stored.forEach((bar, index) => assertBar(bar, expected[index]!, version));

    const again = await calculate(engine.db, ORIGIN, end, version);
    assert.deepEqual([again.inserted, again.updated, again.unchanged], [0, 0, expected.length]);
  });
});

Deno.test("the dispatcher builds DXY minutes, then their 5m and 1h bars, as the independent aggregator does", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  const inputs = fc.record({
    // Runs of minutes with a gap before each: long enough for hours, and for gaps of hours and of days.
    runs: fc.array(
      fc.record({ gap: fc.constantFrom(0, 3, 90, 3000), presence }),
      { minLength: 1, maxLength: 4 },
    ),
    seed: fc.nat(),
    clocks: fc.array(fc.integer({ min: 61, max: 400 }), { minLength: 1, maxLength: 3 }),
    sizes: fc.record({ limit: fc.constantFrom(1, 1000), batchWindows: fc.constantFrom(25, 300, 100_000) }),
  });
  const rules = defaultRules(ORIGIN);
  await checkProperty(RUNS, [inputs], async ({ runs, seed, clocks, sizes }) => {
    await db.exec("truncate public.data_bars, public.derived_data_bars, public.data_agg_state");
    await db.query("select public.sync_agg_state_from_registry(p_default_start_utc => $1)", [new Date(ORIGIN)]);
    let next = ORIGIN;
    const rates = runs.flatMap(({ gap, presence }) => {
      next += gap * MINUTE;
      return presence.map((mask) => ratesAt((next += MINUTE) - MINUTE, mask, seed));
    });
    await insertRates(db, rates);

    let now = ORIGIN;
    for (const minutes of clocks) {
      now += minutes * MINUTE;
      await runBatches(db, sizes, new Date(now));
    }
    const known = rates.filter(({ ts }) => ts < now);
    const lastOfEach = PAIRS.map((pair) => Math.max(...known.flatMap(({ ts, bars }) => bars[pair] ? [ts] : [])));
    const minuteCursor = cursorAfterCatchup({
      timeframe: "1m",
      rules,
      delaySeconds: 0,
      now,
      sourceTimes: [Math.min(...lastOfEach)],
    });
    const complete = known.filter(({ ts, bars }) => ts <= minuteCursor && dollarMinute(bars) !== null);
    const stored = await readMinutes(db, "DXY");
    assert.equal(await readCursor(db, "DXY", "1m"), minuteCursor);
    assert.deepEqual(stored.map((bar) => bar.ts), complete.map((minute) => minute.ts));
    stored.forEach((bar, index) => assertBar(bar, dollarMinute(complete[index]!.bars)!, 1));

    const expected = expectAt(stored, aggregate(stored, rules), rules, DEFAULT_DELAYS, now, minuteCursor);
    for (const timeframe of ["5m", "1h"] as const) {
      assert.equal(await readCursor(db, "DXY", timeframe), expected.cursors[timeframe], `${timeframe}: cursor`);
      assertBars(await readDerived(db, "DXY", timeframe), expected.bars[timeframe], timeframe);
    }
  });
});

interface Rates {
  ts: number;
  bars: Partial<Record<Pair, Bar>>;
}

function ratesAt(ts: number, mask: number, seed: number): Rates {
  const bars: Rates["bars"] = {};
  PAIRS.forEach((pair, index) => {
    if (mask & (1 << index)) bars[pair] = rateBar(ts, index, seed);
  });
  return { ts, bars };
}

/** Rates from 0.01 to 100, now and then zero or negative. */
function rateBar(ts: number, pair: number, seed: number): Bar {
  const random = (salt: number) => noise(seed, ts, pair, salt);
  const price = (salt: number) => {
    const kind = random(salt + 10);
    return kind < 0.005 ? 0 : kind < 0.01 ? -1 : 10 ** (random(salt) * 4 - 2);
  };
  const [open, close] = [price(1), price(2)];
  return { ...flatBar(ts, close), open, high: Math.max(open, close), low: Math.min(open, close) };
}

function flatBar(ts: number, price: number): Bar {
  const prices = { open: price, high: price, low: price, close: price };
  return { ts, ...prices, vol: null, vwap: null, tradeCount: null, isPartial: false };
}

async function insertRates(db: Database, minutes: Rates[]): Promise<void> {
  for (const pair of PAIRS) await insertMinutes(db, pair, minutes.flatMap(({ bars }) => bars[pair] ?? []));
}

async function calculate(db: Database, from: number, to: number, version: number) {
  const [row] = await db.query<{
    result: { inserted: number; updated: number; unchanged: number; skipped_incomplete: number };
  }>("select public.calc_dxy_range_1m($1, $2, $3) as result", [new Date(from), new Date(to), version]);
  return row!.result;
}

/** Version 1 is flat at the closes, version 2 has open and close. */
function assertBar(bar: Bar, prices: { open: number; close: number }, version: number): void {
  const open = version === 1 ? prices.close : prices.open;
  const expected = {
    open,
    close: prices.close,
    high: Math.max(open, prices.close),
    low: Math.min(open, prices.close),
  };
  for (const field of ["open", "high", "low", "close"] as const) {
    assert.ok(
      Math.abs(bar[field] - expected[field]) <= basketTolerance(expected[field]),
      `${field} ${bar[field]} is not ${expected[field]}`,
    );
    // Below 1 as many more as 8 significant digits need.
    const decimals = Math.max(8, 8 - Math.floor(Math.log10(bar[field])));
    assert.equal(Number(bar[field].toFixed(decimals)), bar[field], `${field} has more than ${decimals} decimals`);
  }
  assert.deepEqual([bar.vol, bar.vwap, bar.tradeCount], [0, null, 0]);
}
