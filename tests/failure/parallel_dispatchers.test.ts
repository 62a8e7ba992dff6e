import assert from "node:assert/strict";
import type { Database } from "../../scripts/lib/database.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, openEngine } from "../support/engine.ts";
import { installFaults, setFault } from "../support/faults.ts";
import { addMinutes, clockAfter, countBars, loadPopulation, makePopulation } from "../support/population.ts";
import { checkCursors, compare, type Reference } from "../support/reference.ts";
import { waitUntil } from "../support/wait.ts";

const HOURS = 12;
const NOW = clockAfter(HOURS);

Deno.test("four loops of agg.run_batch at once build every bar once and no other", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const assets = makePopulation(40, HOURS);
  await loadPopulation(db, assets);
  const before = await checkCursors(db, assets, NOW.getTime(), new Map());

  const sessions = await Promise.all(Array.from({ length: 4 }, () => engine.connect()));
  const busy = await Promise.all(sessions.map((session) => loopBatches(session)));
  assert.ok(busy.filter((batches) => batches > 0).length > 1, `batches of each loop: ${busy}`);
  await checkCursors(db, assets, NOW.getTime(), before);

  // An hour that was tried while another loop held its five-minute bars waits for up to an hour.
  await finishLater(db, assets);
});

Deno.test("of two calls of agg_run_due at once the second is busy and does nothing", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  await installFaults(db);
  const assets = makePopulation(5, HOURS);
  await loadPopulation(db, assets);
  await setFault(db, "S000", { seconds: 0.005 });

  const other = await engine.connect();
  const pid = await readValue<number>(other, "select pg_backend_pid()");
  const first = runDue(other, NOW);
  await waitUntil(() =>
    readValue<boolean>(db, "select wait_event = 'PgSleep' from pg_stat_activity where pid = $1", [pid])
  );
  const second = await runDue(db, NOW);
  assert.deepEqual([second.stopped_reason, second.tasks, second.bars_created], ["busy", 0, 0]);
  assert.equal((await first).stopped_reason, "idle");
  assert.deepEqual(
    (await db.query<{ reason: string }>("select l.stopped_reason as reason from agg.run_log as l order by 1"))
      .map(({ reason }) => reason),
    ["busy", "idle"],
  );
  await finishLater(db, assets);
});

Deno.test("the dispatch job of agg.job_list run twice at once builds every bar once and no other", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const assets = makePopulation(40, HOURS);
  await loadPopulation(db, assets);
  const command = await readValue<string>(
    db,
    "select j.command from agg.job_list($1) as j where j.job_name = 'pgbars:dispatch'",
    [NOW],
  );
  const sessions = await Promise.all([engine.connect(), engine.connect()]);
  await Promise.all(sessions.map((session) => session.exec(command)));
  await finishLater(db, assets);
});

Deno.test("the dispatch jobs of two lanes at once build every bar once and no other, and neither is busy", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const assets = makePopulation(40, HOURS);
  await loadPopulation(db, assets);
  await db.query("select public.schedule_jobs(p_lanes => 2)");
  try {
    const jobs = await db.query<{ command: string }>(
      "select j.command from agg.job_list($1) as j where j.job_name like 'pgbars:dispatch%'",
      [NOW],
    );
    assert.equal(jobs.length, 2);
    const sessions = await Promise.all(jobs.map(() => engine.connect()));
    await Promise.all(sessions.map((session, index) => session.exec(jobs[index]!.command)));
    assert.deepEqual(
      await db.query("select distinct l.lane from agg.run_log as l where l.stopped_reason <> 'busy' order by l.lane"),
      [{ lane: 1 }, { lane: 2 }],
    );
    await finishLater(db, assets);
  } finally {
    await db.query("select public.schedule_jobs(p_lanes => 1)");
  }
});

/** Runs small batches until no task is due, also none that another session holds. Returns how many batches had tasks. */
async function loopBatches(db: Database): Promise<number> {
  let batches = 0;
  while (true) {
    const [batch] = await db.query<{ tasks: number; failed: number }>(
      "select b.tasks, b.failed from agg.run_batch(p_limit => 3, p_batch_windows => 60, p_now => $1) as b",
      [NOW],
    );
    assert.equal(batch!.failed, 0);
    if (batch!.tasks > 0) batches++;
    else if (await countDue(db) === 0) return batches;
  }
}

async function countDue(db: Database): Promise<number> {
  return await readValue(db, "select count(*) from public.data_agg_state as s where s.next_run_at <= $1", [NOW]);
}

async function finishLater(db: Database, assets: Reference[]): Promise<void> {
  const later = addMinutes(NOW, 61);
  await runDue(db, later);
  for (const asset of assets) await compare(db, asset, later.getTime());
  assert.equal(
    await readValue(db, "select sum(s.total_bars_created)::integer from public.data_agg_state as s"),
    countBars(assets),
    "every bar was created once",
  );
}
