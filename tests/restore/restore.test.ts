import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { runDue } from "../support/dispatch.ts";
import { type Engine, openEngine } from "../support/engine.ts";
import { runRecipe } from "./recipes.ts";

const NOW = new Date("2025-07-02T12:00:00Z");
const PAIRS = ["EURUSD", "USDJPY", "GBPUSD", "USDCAD", "USDSEK", "USDCHF"];

Deno.test("the data of another project load into a freshly pushed one, by the recipe", async () => {
  await using cluster = await useCluster();
  await using old = await openOld(cluster);
  await using fresh = await openEngine(cluster);
  const folder = await Deno.makeTempDir();
  try {
    await runRecipe(cluster, "Load the data of another project into a fresh one", {
      folder,
      OLD: old.url,
      NEW: fresh.url,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assert.deepEqual(await everything(fresh.db), await everything(old.db));
  await checkWorks(old.db, fresh.db);
});

Deno.test("everything restores into an empty database, by the recipe", async () => {
  await using cluster = await useCluster();
  await using old = await openOld(cluster);
  const url = await cluster.createDatabase(`pgbars_${crypto.randomUUID().replaceAll("-", "")}`);
  const folder = await Deno.makeTempDir();
  try {
    await runRecipe(cluster, "Restore everything into an empty database", { folder, OLD: old.url, NEW: url });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const db = await openServer(url);
  try {
    assert.deepEqual(await everything(db), await everything(old.db));
    await checkWorks(old.db, db);
  } finally {
    await db.close();
  }
});

/** A project that has worked for a day, and has changes waiting that no dispatcher has read. */
async function openOld(cluster: Awaited<ReturnType<typeof useCluster>>): Promise<Engine> {
  const old = await openEngine(cluster);
  const { db } = old;
  await db.query(
    `insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
     select s, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}' from unnest($1::text[]) as s`,
    [PAIRS],
  );
  await db.query(
    `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, trade_count)
     select s, timestamptz '2025-07-01 00:00+00' + m.n * interval '1 minute', 1, 1, 1, 1, m.n, 1
     from unnest($1::text[]) as s cross join generate_series(0, 1439) as m (n)`,
    [PAIRS],
  );
  await runDue(db, NOW);
  await db.exec(
    "update public.data_bars set high = 2 where canonical_symbol = 'USDSEK' and ts_utc = '2025-07-01 09:31+00'",
  );
  assert.equal((await runDue(db, NOW)).failed, 0);
  // The longer bars of GBPUSD, and those of DXY, outlive the minutes of GBPUSD.
  await db.exec(`
    update public.core_asset_registry_all
    set metadata = jsonb_set(metadata, '{agg,keep}', '{"1m": "1 day"}') where canonical_symbol = 'GBPUSD';
    select public.agg_maintain(p_now => '2025-07-03 12:00+00');
    select public.agg_maintain(p_now => '2025-07-03 12:05+00');
  `);
  await db.exec(`
    update public.data_bars set high = 2 where canonical_symbol = 'USDSEK' and ts_utc = '2025-07-01 10:31+00';
    delete from public.data_bars where canonical_symbol = 'EURUSD' and ts_utc >= '2025-07-01 12:00+00' and ts_utc < '2025-07-01 12:10+00';
  `);
  return old;
}

/** What both databases make of a late minute, and of what waited when the dump was made. */
async function checkWorks(old: Database, loaded: Database): Promise<void> {
  const late =
    "update public.data_bars set high = 3 where canonical_symbol = 'USDCHF' and ts_utc = '2025-07-01 20:31+00'";
  for (const db of [old, loaded]) {
    await db.exec(late);
    await db.query("select public.agg_maintain(p_now => $1)", [NOW]);
    assert.deepEqual((await runDue(db, NOW)).failed, 0);
    assert.deepEqual(await db.query("select * from public.agg_verify()"), []);
  }
  assert.deepEqual(await bars(loaded), await bars(old));
  const states =
    "select t.tgname, t.tgenabled from pg_catalog.pg_trigger as t where t.tgrelid = 'public.data_bars'::regclass order by 1";
  assert.deepEqual(await loaded.query(states), await old.query(states));
}

const BARS = `
  select b.canonical_symbol || ' ' || b.timeframe || ' ' || b.ts_utc || ' ' || b.high || ' ' || b.close || ' ' || coalesce(b.vol::text, '') || ' ' || b.covered_minutes || ' ' || b.is_bar as bar
  from agg.source_bar as b where b.covered_minutes > 0 order by 1`;

async function bars(db: Database): Promise<unknown[]> {
  return await db.query(BARS);
}

async function everything(db: Database): Promise<unknown[]> {
  const [row] = await db.query(`
    select
      (select jsonb_agg(to_jsonb(r) order by r.canonical_symbol) from public.core_asset_registry_all as r) as registry,
      (select jsonb_agg(to_jsonb(s) order by s.canonical_symbol, s.timeframe) from public.data_agg_state as s) as tasks,
      (select md5(jsonb_agg(to_jsonb(d) order by d.canonical_symbol, d.ts_utc)::text) from public.data_bars as d) as minutes,
      (select md5(jsonb_agg(to_jsonb(d) order by d.canonical_symbol, d.timeframe, d.ts_utc)::text) from public.derived_data_bars as d) as bars,
      (select jsonb_agg(to_jsonb(v) order by v.canonical_symbol, v.timeframe, v.ts_utc, v.replaced_at) from public.derived_data_bars_revision as v) as revisions
  `);
  assert.ok(row!.revisions, "bars have changed");
  return Object.entries(row!);
}
