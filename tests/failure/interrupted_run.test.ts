import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { type Database, DatabaseError } from "../../scripts/lib/database.ts";
import { killBackend, type Running, runUntilAsleep, terminateBackend } from "../support/backend.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, type Engine, openEngine } from "../support/engine.ts";
import { clearFaults, installFaults, setFault } from "../support/faults.ts";
import { clockAfter, countBars, loadPopulation, makePopulation } from "../support/population.ts";
import { checkCursors, compare, type Cursors, type Reference } from "../support/reference.ts";

const HOURS = 24;
const NOW = clockAfter(HOURS);
const SIZES = { limit: 5, batchWindows: 500 };

/** Like the dispatch job of agg.job_list: a batch, a commit, the next batch; only with smaller batches. */
const BACKFILL = `do $run$ begin loop
  exit when public.agg_run_due(
    p_now => '${NOW.toISOString()}', p_limit => ${SIZES.limit}, p_batch_windows => ${SIZES.batchWindows},
    p_time_budget => interval '0'
  ) ->> 'stopped_reason' <> 'one_batch';
  commit;
end loop; end $run$`;

Deno.test("kill -9 of the backend in mid-backfill loses nothing, doubles nothing and leaves nothing running", async () => {
  await using cluster = await startCluster();
  await using engine = await openEngine(cluster);
  const assets = await prepare(engine.db);
  let cursors = await checkCursors(engine.db, assets, NOW.getTime(), new Map());

  for (const bars of [1, 1000, 2000]) {
    const { pid, end } = await startBackfill(engine, bars);
    await killBackend(engine, pid);
    await assert.rejects(end, "the backend was killed before it had finished");
    cursors = await checkCleanStop(await engine.connect(), assets, cursors);
  }
  await finish(await engine.connect(), assets);
});

Deno.test("pg_terminate_backend in mid-backfill loses nothing, doubles nothing and leaves nothing running", async () => {
  await using engine = await openEngine();
  const assets = await prepare(engine.db);
  const before = await checkCursors(engine.db, assets, NOW.getTime(), new Map());

  const { pid, end } = await startBackfill(engine, 1000);
  await terminateBackend(engine, pid);
  await assert.rejects(end);
  await checkCleanStop(engine.db, assets, before);
  await finish(engine.db, assets);
});

Deno.test("a statement_timeout in mid-backfill keeps the batches that were committed, and the next run goes on", async () => {
  await using engine = await openEngine();
  const assets = await prepare(engine.db);
  const before = await checkCursors(engine.db, assets, NOW.getTime(), new Map());

  // Last in line, and its batch alone takes longer than the timeout.
  await engine.db.query("update public.data_agg_state set task_priority = 200 where canonical_symbol = 'S011'");
  await setFault(engine.db, "S011", { seconds: 0.1 });
  await engine.db.exec("set statement_timeout = '3s'");
  await assert.rejects(
    engine.db.query(BACKFILL),
    (error: unknown) => error instanceof DatabaseError && error.code === "57014",
  );
  await engine.db.exec("reset statement_timeout");
  const after = await checkCleanStop(engine.db, assets, before);
  assert.notDeepEqual(after, before, "batches before the timeout were kept");
  await finish(engine.db, assets);
});

Deno.test("a run that is out of time stops after a batch in a clean state, and the next run goes on", async () => {
  await using engine = await openEngine();
  const assets = await prepare(engine.db);
  let cursors = await checkCursors(engine.db, assets, NOW.getTime(), new Map());

  const one = await runDue(engine.db, NOW, { ...SIZES, budget: "0" });
  assert.deepEqual([one.stopped_reason, one.batches, one.tasks], ["one_batch", 1, 5]);
  cursors = await checkCleanStop(engine.db, assets, cursors);
  const some = await runDue(engine.db, NOW, { ...SIZES, budget: "300 milliseconds" });
  assert.equal(some.stopped_reason, "time_budget");
  assert.ok(some.batches > 0);
  await checkCleanStop(engine.db, assets, cursors);
  await finish(engine.db, assets);
});

/** Twelve assets with a day of bars, of which three take long to build, so that a backfill takes some seconds. */
async function prepare(db: Database): Promise<Reference[]> {
  await clearEngine(db);
  await installFaults(db);
  const assets = makePopulation(12, HOURS);
  await loadPopulation(db, assets);
  for (const symbol of ["S001", "S006", "S011"]) await setFault(db, symbol, { seconds: 0.001 });
  return assets;
}

/** Starts a backfill and waits until at least `bars` bars are committed and it is at work on the next batch. */
async function startBackfill(engine: Engine, bars: number): Promise<Running> {
  const condition = `(select count(*) from public.derived_data_bars) >= ${bars}`;
  return await runUntilAsleep(engine, await engine.connect(), BACKFILL, condition);
}

/** Nothing runs, and every cursor has exactly its bars behind it and none before it. */
async function checkCleanStop(db: Database, assets: Reference[], before: Cursors): Promise<Cursors> {
  assert.deepEqual(
    await db.query(
      "select 1 from public.data_agg_state as s where s.status <> 'idle' or s.running_started_at_utc is not null",
    ),
    [],
  );
  assert.equal(
    await readValue(
      db,
      `select count(*) from public.derived_data_bars as d join public.data_agg_state as s using (canonical_symbol, timeframe)
       where d.ts_utc > s.last_agg_bar_ts_utc`,
    ),
    0,
    "bars beyond a cursor",
  );
  return await checkCursors(db, assets, NOW.getTime(), before);
}

/** Continues after the interrupted run, and ends with what an uninterrupted run makes. */
async function finish(db: Database, assets: Reference[]): Promise<void> {
  await clearFaults(db);
  await db.exec("set statement_timeout = '30s'");
  await db.exec(BACKFILL);
  for (const asset of assets) await compare(db, asset, NOW.getTime());
  assert.equal(
    await readValue(db, "select sum(s.total_bars_created)::integer from public.data_agg_state as s"),
    countBars(assets),
    "every bar was created once",
  );
}
