import assert from "node:assert/strict";
import { ORIGIN } from "../../model/histories.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { readTask, readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, type Engine, openEngine } from "../support/engine.ts";
import { clearFaults, installFaults, setFault } from "../support/faults.ts";
import { addMinutes, clockAfter, loadPopulation, makeAsset, makePopulation } from "../support/population.ts";
import { compare, type Reference } from "../support/reference.ts";

const HOURS = 4;
const NOW = clockAfter(HOURS);

Deno.test("windows that raise among those of a hundred tasks cost only themselves", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const good = makePopulation(100, HOURS);
  const bad = makeAsset("BAD", HOURS, 1);
  await loadPopulation(db, [...good, bad]);
  const { ts } = bad.minutes.find((bar) => bar.ts >= ORIGIN + 3_600_000)!;
  // Two volumes that are fine on their own, and whose sum is beyond a double. No door lets them in.
  await db.exec("alter table public.data_bars drop constraint data_bars_vol_in_range");
  const setVolume = (volume: number) =>
    db.query(
      `update public.data_bars as d set vol = $1::float8
       where d.canonical_symbol = 'BAD' and d.ts_utc >= $2::timestamptz and d.ts_utc < $2::timestamptz + interval '1 hour'`,
      [volume, new Date(ts)],
    );
  await setVolume(1.7e308);

  const run = await runDue(db, NOW);
  assert.ok(run.failed > 0);
  assert.equal(run.stopped_reason, "idle");
  await compareAll(db, good, NOW);
  const passed = await readTask(db, "BAD", "5m");
  assert.deepEqual([passed.status, passed.fail_streak, passed.hard_fail_streak], ["idle", 0, 0]);
  assert.ok(passed.cursor > new Date(ts + 3_600_000), "its cursor passes the windows");
  const waiting = await db.query<{ error: string; windows: number }>(
    `select k.error, count(*) as windows
     from agg.correction as k, unnest(k.spans) as s (span)
     where k.canonical_symbol = 'BAD' and k.timeframe = '5m'
     group by k.error`,
  );
  assert.ok(waiting.length > 0, "they wait to be built again");
  for (const { error } of waiting) assert.match(error, /^\[2025-.*\): .*out of range: overflow \(22003\)$/);

  const next = await runDue(db, NOW);
  assert.deepEqual([next.tasks, next.failed], [0, 0], "the next run does not suffer");

  await setVolume(1);
  const fixed = await runDue(db, addMinutes(NOW, 1));
  assert.equal(fixed.failed, 0);
  assert.equal(await readValue(db, "select count(*) from public.agg_verify('BAD')"), 0, "every window is built then");
  assert.equal(await readValue(db, "select count(*) from agg.correction"), 0);
});

Deno.test("a failure is transient or hard by its SQLSTATE, backs off, and is forgotten after a success", async (test) => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  await installFaults(db);
  const assets = makePopulation(3, HOURS);
  await loadPopulation(db, assets);
  const cases = [
    { sqlstate: "40001", hard: 0 },
    { sqlstate: "40P01", hard: 0 },
    { sqlstate: "53200", hard: 0 },
    { sqlstate: "55P03", hard: 0 },
    { sqlstate: "22012", hard: 1 },
    { sqlstate: "23514", hard: 1 },
    { sqlstate: "P0001", hard: 1 },
  ];
  for (const [index, { sqlstate, hard }] of cases.entries()) {
    await test.step(`SQLSTATE ${sqlstate}`, async () => {
      await db.exec("truncate public.derived_data_bars");
      await db.query(
        "select public.agg_bootstrap_cursor(s.canonical_symbol, s.timeframe) from public.data_agg_state as s",
      );
      const now = addMinutes(NOW, index * 180);
      await setFault(db, "S001", { sqlstate });
      assert.equal((await runDue(db, now)).failed, 1);
      const failed = await readTask(db, "S001", "5m");
      assert.deepEqual([failed.fail_streak, failed.hard_fail_streak], [1, hard]);
      assert.match(failed.last_error!, new RegExp(`^\\[.*\\): made to fail \\(${sqlstate}\\)$`));
      assert.ok(failed.next_run_at > now);

      await clearFaults(db);
      assert.equal((await runDue(db, addMinutes(now, 61))).failed, 0);
      const fixed = await readTask(db, "S001", "5m");
      assert.deepEqual([fixed.fail_streak, fixed.hard_fail_streak, fixed.last_error], [0, 0, null]);
      await compareAll(db, assets, addMinutes(now, 61));
    });
  }
});

Deno.test("a task that runs into a lock fails for lock_timeout alone and succeeds when the lock is gone", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const assets = makePopulation(10, HOURS);
  await loadPopulation(db, assets);
  const blocker = await holdBar(engine, assets[3]!);
  await db.exec("set lock_timeout = '200ms'");

  assert.equal((await runDue(db, NOW)).failed, 1);
  const failed = await readTask(db, "S003", "5m");
  assert.match(failed.last_error!, /lock timeout \(55P03\)/);
  assert.deepEqual([failed.fail_streak, failed.hard_fail_streak], [1, 0]);
  await compareAll(db, assets.filter(({ symbol }) => symbol !== "S003"), NOW);

  await blocker.exec("rollback");
  const later = addMinutes(NOW, 61);
  assert.equal((await runDue(db, later)).failed, 0);
  await compareAll(db, assets, later);
});

/** Opens a transaction that has stored the asset's first derived bar, and does not end it. */
async function holdBar(engine: Engine, asset: Reference): Promise<Database> {
  const session = await engine.connect();
  await session.exec("begin");
  const { bar } = asset.windows["5m"].find(({ bar }) => bar !== null)!;
  await session.query(
    `insert into public.derived_data_bars (
       canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe,
       source_candles, expected_candles, covered_minutes, expected_minutes, quality_score
     ) values ($1, '5m', $2, 1, 1, 1, 1, '1m', 5, 5, 5, 5, 2)`,
    [asset.symbol, new Date(bar!.ts)],
  );
  return session;
}

async function compareAll(db: Database, assets: Reference[], now: Date): Promise<void> {
  for (const asset of assets) await compare(db, asset, now.getTime());
}
