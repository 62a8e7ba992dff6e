import assert from "node:assert/strict";
import type { Database } from "../../scripts/lib/database.ts";
import { readTask, readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, openEngine } from "../support/engine.ts";
import { clearFaults, installFaults, setFault } from "../support/faults.ts";
import { addMinutes, clockAfter, loadPopulation, makePopulation } from "../support/population.ts";
import { compare } from "../support/reference.ts";

const HOURS = 3;
const NOW = clockAfter(HOURS);

Deno.test("a mandatory task that fails ten times still retries, raises one alert, and recovers", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  await installFaults(db);
  const assets = makePopulation(3, HOURS);
  await loadPopulation(db, assets);
  await setFault(db, "S001", { sqlstate: "22012" });

  let now = NOW;
  let waited = 0;
  for (let count = 1; count <= 10; count++) {
    const run = await runDue(db, now);
    assert.equal(run.failed, 1, `failure ${count}`);
    const task = await readTask(db, "S001", "5m");
    assert.deepEqual([task.fail_streak, task.hard_fail_streak], [count, count]);
    assert.equal(task.status, count < 3 ? "idle" : "hard_failed");
    assert.equal((await openAlerts(db)).length, count < 3 ? 0 : 1, `alerts after failure ${count}`);
    const wait = task.next_run_at.getTime() - now.getTime();
    assert.ok(wait >= waited && wait > 0 && wait <= 3_600_000, `backs off for ${wait} ms after ${waited} ms`);
    waited = wait;
    now = task.next_run_at;
  }
  assert.equal(waited, 3_600_000);
  const [alert] = await openAlerts(db);
  assert.deepEqual([alert!.kind, alert!.canonical_symbol, alert!.timeframe], ["hard_failed", "S001", "5m"]);
  assert.equal(await readValue(db, "select count(*) from agg.alert"), 1);
  for (const asset of assets.filter(({ symbol }) => symbol !== "S001")) await compare(db, asset, now.getTime());

  await clearFaults(db);
  assert.equal((await runDue(db, now)).failed, 0);
  const task = await readTask(db, "S001", "5m");
  assert.deepEqual([task.status, task.fail_streak, task.hard_fail_streak, task.last_error], ["idle", 0, 0, null]);
  await db.query("select public.agg_maintain(p_now => $1)", [now]);
  assert.deepEqual(await openAlerts(db), []);
  const later = addMinutes(now, 61);
  assert.equal((await runDue(db, later)).failed, 0);
  for (const asset of assets) await compare(db, asset, later.getTime());
});

Deno.test("an optional task is disabled by its third hard failure in a row, and runs again after a bootstrap", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  await installFaults(db);
  const assets = makePopulation(3, HOURS);
  await loadPopulation(db, assets);
  await db.query("update public.data_agg_state set is_mandatory = false where canonical_symbol = 'S001'");

  let now = NOW;
  const failWith = async (sqlstate: string) => {
    await setFault(db, "S001", { sqlstate });
    assert.equal((await runDue(db, now)).failed, 1);
    const task = await readTask(db, "S001", "5m");
    now = task.next_run_at;
    return [task.status, task.hard_fail_streak];
  };
  assert.deepEqual(await failWith("22012"), ["idle", 1]);
  assert.deepEqual(await failWith("40001"), ["idle", 1]);
  assert.deepEqual(await failWith("22012"), ["idle", 2]);
  assert.deepEqual(await failWith("22012"), ["disabled", 3]);
  const [alert] = await openAlerts(db);
  assert.deepEqual([alert!.kind, alert!.canonical_symbol, alert!.timeframe], ["disabled", "S001", "5m"]);

  await clearFaults(db);
  const tomorrow = addMinutes(now, 24 * 60);
  assert.equal((await runDue(db, tomorrow)).failed, 0);
  assert.equal((await readTask(db, "S001", "5m")).status, "disabled");
  for (const asset of assets.filter(({ symbol }) => symbol !== "S001")) await compare(db, asset, tomorrow.getTime());

  await db.query("select public.agg_bootstrap_cursor('S001', '5m')");
  const later = addMinutes(tomorrow, 61);
  await runDue(db, later);
  for (const asset of assets) await compare(db, asset, later.getTime());
  await db.query("select agg.refresh_alerts($1)", [later]);
  assert.deepEqual(await openAlerts(db), []);
});

interface Alert {
  kind: string;
  canonical_symbol: string;
  timeframe: string;
}

async function openAlerts(db: Database): Promise<Alert[]> {
  return await db.query<Alert>(
    "select a.kind, a.canonical_symbol, a.timeframe from agg.alert as a where a.resolved_at is null",
  );
}
