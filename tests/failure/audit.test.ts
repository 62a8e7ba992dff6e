import assert from "node:assert/strict";
import { readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, openEngine } from "../support/engine.ts";
import { addMinutes, clockAfter, loadPopulation, makePopulation } from "../support/population.ts";

const HOURS = 4;
const NOW = clockAfter(HOURS);

Deno.test("the audit waits for no task and no bar that others hold, nor for another audit", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  await loadPopulation(db, makePopulation(3, HOURS));
  await runDue(db, NOW);
  await db.exec(`
    set session_replication_role = replica;
    update public.derived_data_bars set vol = vol + 1 where timeframe = '5m' and canonical_symbol = 'S001';
    set session_replication_role = origin;
  `);
  const wrong = await readValue<number>(db, "select count(*) from public.agg_verify('S001')");
  assert.ok(wrong > 0);

  const holder = await engine.connect();
  await holder.exec(`
    begin;
    select from public.data_agg_state for update;
    select from public.derived_data_bars for update;
  `);
  await db.exec("set lock_timeout = '200ms'");
  const audit = (minutes: number) =>
    db.query<{ result: { slices_audited: number; windows_wrong: number } }>(
      "select agg.audit_history('prod', $1) as result",
      [addMinutes(NOW, minutes)],
    );
  const [found] = await audit(0);
  assert.deepEqual(found!.result, { slices_audited: 3, windows_wrong: wrong });
  await holder.exec("rollback");

  await holder.exec(`begin; select agg.audit_history('prod', '${addMinutes(NOW, 61).toISOString()}')`);
  const [busy] = await audit(61);
  assert.deepEqual(busy!.result, { slices_audited: 0, windows_wrong: 0 });
  await holder.exec("rollback");

  await runDue(db, addMinutes(NOW, 1));
  assert.equal(await readValue(db, "select count(*) from public.agg_verify()"), 0);
});
