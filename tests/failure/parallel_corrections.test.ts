import assert from "node:assert/strict";
import type { Asset } from "../../model/histories.ts";
import { noise } from "../../model/noise.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { checkConverged } from "../support/converged.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { clearEngine, openEngine } from "../support/engine.ts";
import { clockAfter, loadPopulation, makePopulation } from "../support/population.ts";

const HOURS = 12;
const NOW = clockAfter(HOURS);
const STATEMENTS = 400;

Deno.test("four loops of agg.run_batch over a flood of corrections, while a writer writes, end with the right bars", async () => {
  await using engine = await openEngine();
  const { db } = engine;
  await clearEngine(db);
  const assets = makePopulation(10, HOURS);
  await loadPopulation(db, assets);
  await registerBasket(db, assets.slice(0, 3));
  await runDue(db, NOW);
  await db.exec("update public.data_bars as d set high = d.high + 1, close = d.high + 1 where d.source <> 'synthetic'");

  const writer = await engine.connect();
  let isWriting = true;
  const write = async () => {
    for (let index = 0; index < STATEMENTS; index++) await changeSomething(writer, assets, index);
    isWriting = false;
  };
  const sessions = await Promise.all(Array.from({ length: 4 }, () => engine.connect()));
  const [corrected] = await Promise.all([
    Promise.all(sessions.map((session) => loopBatches(session, () => isWriting))),
    write(),
  ]);
  assert.ok(corrected.filter((bars) => bars > 0).length > 1, `bars that each loop corrected: ${corrected}`);
  await checkConverged(db, assets, NOW);
});

/** A synthetic asset of others. Their corrections reach it through notes that dispatchers write. */
async function registerBasket(db: Database, components: Asset[]): Promise<void> {
  const symbols = components.map(({ symbol }) => symbol);
  await db.query(
    "insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values ('BASKET', true, $1::jsonb)",
    [{
      agg: { start_utc: new Date(components[0]!.rules.startUtc).toISOString() },
      is_synthetic: true,
      components: symbols,
      component_weights: Object.fromEntries(symbols.map((symbol) => [symbol, 1])),
      formula_base: 1,
    }],
  );
}

/** One statement on one asset: an edit of an hour, a minute taken away, or minutes that come back. Leaves the last hour alone. */
async function changeSomething(db: Database, assets: Asset[], index: number): Promise<void> {
  const { symbol, minutes } = assets[Math.floor(noise(index, 1) * assets.length)]!;
  const older = minutes.slice(0, -60);
  const { ts } = older[Math.floor(noise(index, 2) * older.length)]!;
  const statement = [
    `update public.data_bars as d set high = d.high + 1, close = d.high + 1
     where d.canonical_symbol = $1 and d.ts_utc >= $2::timestamptz and d.ts_utc < $2::timestamptz + interval '1 hour'`,
    "delete from public.data_bars as d where d.canonical_symbol = $1 and d.ts_utc = $2",
    `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
     select $1, m, 1, 1, 1, 1 from generate_series($2::timestamptz, $2::timestamptz + interval '9 minutes', interval '1 minute') as m
     on conflict do nothing`,
  ][index % 3]!;
  await db.query(statement, [symbol, new Date(ts)]);
}

/** Runs small batches until no session writes and nothing waits in any. Returns how many bars it corrected. */
async function loopBatches(db: Database, isWriting: () => boolean): Promise<number> {
  let corrected = 0;
  while (true) {
    const wasWriting = isWriting();
    const [batch] = await db.query<{ notes: number; bars_corrected: number; failed: number }>(
      "select b.notes, b.bars_corrected, b.failed from agg.run_batch(p_limit => 4, p_batch_windows => 60, p_now => $1) as b",
      [NOW],
    );
    assert.equal(batch!.failed, 0);
    corrected += batch!.bars_corrected;
    if (!wasWriting && batch!.notes === 0 && await countWaiting(db) === 0) return corrected;
  }
}

async function countWaiting(db: Database): Promise<number> {
  return await readValue(db, "select (select count(*) from agg.change_note) + (select count(*) from agg.correction)");
}
