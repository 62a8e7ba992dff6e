import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { catchUp } from "../property/drivers.ts";
import { killBackend, runUntilAsleep, terminateBackend } from "../support/backend.ts";
import { checkConverged, checkNothingLost } from "../support/converged.ts";
import { readTask, readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, type Engine, openEngine } from "../support/engine.ts";
import { clearFaults, installFaults, setFault } from "../support/faults.ts";
import { addMinutes, clockAfter, loadPopulation, makePopulation } from "../support/population.ts";
import type { Reference } from "../support/reference.ts";

const HOURS = 6;
const NOW = clockAfter(HOURS);
const ABANDONED = addMinutes(NOW, 15);

/** Like the dispatch job of agg.job_list: a batch, a commit, the next batch; only with smaller batches. */
const DISPATCH = `do $run$ begin loop
  exit when public.agg_run_due(
    p_now => '${NOW.toISOString()}', p_batch_windows => 60, p_time_budget => interval '0'
  ) ->> 'stopped_reason' <> 'one_batch';
  commit;
end loop; end $run$`;

const ENDS = [
  { way: "kill -9", end: killBackend, openOwn: startCluster },
  { way: "pg_terminate_backend", end: terminateBackend, openOwn: undefined },
];

for (const { way, end, openOwn } of ENDS) {
  /** An engine in which six assets are registered; a crash needs a cluster of its own, which keeps what is committed. */
  const withEngine = async (use: (engine: Engine, assets: Reference[]) => Promise<void>) => {
    await using cluster = await openOwn?.({ settings: { synchronous_commit: "on" } });
    await using engine = await openEngine(cluster);
    await clearEngine(engine.db);
    await installFaults(engine.db);
    const assets = makePopulation(6, HOURS);
    await loadPopulation(engine.db, assets);
    await use(engine, assets);
  };

  Deno.test(`${way} of a dispatcher in mid-correction forgets no change and leaves nothing running`, () =>
    withEngine(async (engine, assets) => {
      await runDue(engine.db, NOW);
      await changeMuch(engine.db);
      await setFault(engine.db, "S001", { seconds: 0.03 });
      let corrected = 0;
      for (const batches of [0, 1, 3]) {
        const dispatcher = await engine.connect();
        const { pid, end: ended } = await runUntilAsleep(
          engine,
          dispatcher,
          DISPATCH,
          `(select count(*) from agg.run_log as l where l.bars_corrected > 0) >= ${batches}`,
        );
        await end(engine, pid);
        await assert.rejects(ended);
        const db = await engine.connect();
        await checkNothingLost(db);
        assert.equal(await countRunning(db), 0);
        assert.notEqual(await readValue(db, "select count(*) from public.agg_pending()"), 0, "it was not through");
        const now = await countCorrected(db);
        assert.ok(now >= corrected, "what was committed stays");
        corrected = now;
      }
      assert.ok(corrected > 0);

      const db = await engine.connect();
      await clearFaults(db);
      await db.exec(DISPATCH);
      await checkConverged(db, assets, NOW);
    }));

  Deno.test(`${way} of a writer in mid-statement leaves neither bars nor notes`, () =>
    withEngine(async (engine, assets) => {
      await runDue(engine.db, NOW);
      const writer = await engine.connect();
      const { pid, end: ended } = await runUntilAsleep(
        engine,
        writer,
        `begin;
         delete from public.data_bars as d where d.canonical_symbol = 'S000' and extract(minute from d.ts_utc) = 7;
         update public.data_bars as d set high = d.high + (select 1 from pg_sleep(0.02 * sign(d.high)))
         where d.canonical_symbol = 'S001';
         commit;`,
      );
      await end(engine, pid);
      await assert.rejects(ended);

      const db = await engine.connect();
      assert.equal(await readValue(db, "select count(*) from agg.change_note"), 0);
      assert.equal((await runDue(db, NOW)).bars_corrected, 0);
      await checkConverged(db, assets, NOW);
      for (const { symbol, minutes } of assets) {
        assert.equal(
          await readValue(db, "select count(*) from public.data_bars where canonical_symbol = $1", [symbol]),
          minutes.length,
        );
      }
    }));

  Deno.test(`${way} of an outside worker that has built and not finished costs no change that came meanwhile`, () =>
    withEngine(async (engine, assets) => {
      const worker = await engine.connect();
      await worker.query("select public.agg_start('S000', '5m', $1)", [NOW]);
      const { new_cursor } = await catchUp(worker, "S000", "5m", 10, NOW);
      await setFault(engine.db, "S000", { seconds: 0.1 });
      const { pid, end: ended } = await runUntilAsleep(
        engine,
        worker,
        `select public.catchup_aggregation_range('S000', '5m', '${new_cursor}', 1000, '${NOW.toISOString()}')`,
      );
      await changeMuch(engine.db);
      await runDue(engine.db, NOW);
      await end(engine, pid);
      await assert.rejects(ended);

      const db = await engine.connect();
      await clearFaults(db);
      await runDue(db, NOW);
      assert.equal((await readTask(db, "S000", "5m")).status, "running");
      await checkNothingLost(db);
      await runDue(db, ABANDONED);
      assert.equal(await countRunning(db), 0);
      const later = addMinutes(ABANDONED, 61);
      await runDue(db, later);
      await checkConverged(db, assets, later);
    }));
}

/** Edits every bar of three assets, and takes every seventh minute of all away but for the last hour. */
async function changeMuch(db: Database): Promise<void> {
  await db.exec(`
    update public.data_bars as d set high = d.high + 1, close = d.high + 1
    where d.canonical_symbol in ('S000', 'S001', 'S002');
    delete from public.data_bars as d
    where d.ts_utc < '${NOW.toISOString()}'::timestamptz - interval '1 hour 5 minutes' and extract(minute from d.ts_utc)::integer % 7 = 0;
  `);
}

async function countRunning(db: Database): Promise<number> {
  return await readValue(
    db,
    "select count(*) from public.data_agg_state as s where s.status = 'running' or s.running_started_at_utc is not null",
  );
}

async function countCorrected(db: Database): Promise<number> {
  return await readValue(db, "select coalesce(sum(l.bars_corrected), 0)::integer from agg.run_log as l");
}
