import assert from "node:assert/strict";
import type { Database } from "../../scripts/lib/database.ts";
import { DatabaseError } from "../../scripts/lib/database.ts";
import { catchUp } from "../property/drivers.ts";
import { readTask, runDue } from "../support/dispatch.ts";
import { clearEngine, openEngine } from "../support/engine.ts";
import { addMinutes, clockAfter, loadPopulation, makePopulation } from "../support/population.ts";
import { compare } from "../support/reference.ts";

const HOURS = 3;
const NOW = clockAfter(HOURS);

Deno.test("a claim that a worker abandons is taken back after 15 minutes, and nothing is lost or doubled", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const assets = makePopulation(2, HOURS);
  await loadPopulation(db, assets);
  const bootstrapped = (await readTask(db, "S000", "5m")).cursor;

  await claim(db, "S000", NOW);
  const { new_cursor } = await catchUp(db, "S000", "5m", 10, NOW);
  await runDue(db, NOW);
  await compare(db, assets[1]!, NOW.getTime());
  const justBefore = addMinutes(NOW, 14.99);
  await runDue(db, justBefore);
  const held = await readTask(db, "S000", "5m");
  assert.deepEqual([held.status, held.cursor], ["running", bootstrapped]);

  const recovered = addMinutes(NOW, 15);
  await runDue(db, recovered);
  const task = await readTask(db, "S000", "5m");
  assert.deepEqual([task.status, task.running_started_at_utc], ["idle", null]);
  const later = addMinutes(recovered, 61);
  await runDue(db, later);
  for (const asset of assets) await compare(db, asset, later.getTime());

  await assert.rejects(
    db.query("select public.agg_finish('S000', '5m', true, $1::timestamptz, p_now => $2)", [new_cursor, later]),
    (error: unknown) => error instanceof DatabaseError && error.code === "55000",
  );
  for (const asset of assets) await compare(db, asset, later.getTime());
});

Deno.test("a worker whose connection breaks before it commits leaves its claim and nothing else", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const assets = makePopulation(1, HOURS);
  await loadPopulation(db, assets);
  const before = (await readTask(db, "S000", "5m")).cursor;

  const worker = await engine.connect();
  await claim(worker, "S000", NOW);
  await worker.exec("begin");
  const stats = await catchUp(worker, "S000", "5m", 1000, NOW);
  await worker.query(
    "select public.agg_finish('S000', '5m', true, $1::timestamptz, $2::jsonb, p_now => $3)",
    [stats.new_cursor, stats, NOW],
  );
  const [{ pid } = { pid: 0 }] = await worker.query<{ pid: number }>("select pg_backend_pid() as pid");
  await db.query("select pg_terminate_backend($1, 5000)", [pid]);

  const task = await readTask(db, "S000", "5m");
  assert.deepEqual([task.status, task.cursor], ["running", before]);
  assert.deepEqual(await db.query("select 1 from public.derived_data_bars"), []);
  const later = addMinutes(NOW, 15);
  await runDue(db, later);
  await compare(db, assets[0]!, later.getTime());
});

async function claim(db: Database, symbol: string, now: Date): Promise<void> {
  const [row] = await db.query<{ result: { claimed: boolean } }>("select public.agg_start($1, '5m', $2) as result", [
    symbol,
    now,
  ]);
  assert.equal(row!.result.claimed, true);
}
