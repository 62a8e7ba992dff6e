import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { dumpAll, NOW, type Older, openOlder, readStatus } from "./older.ts";

interface Result {
  minutes_added: number;
  minutes_updated: number;
  minutes_left_out: number;
}

async function undo({ db }: Older): Promise<Result> {
  const { minutes_added, minutes_updated, minutes_left_out } = await readValue<Result>(
    db,
    "select public.undo_move()",
  );
  return { minutes_added, minutes_updated, minutes_left_out };
}

/** A hash of the rows of an old table, without those that `except` selects. */
function checksum(db: Database, table: string, except = "false"): Promise<string> {
  return readValue(
    db,
    `select md5(string_agg(o::text, '|' order by o::text)) from public.${table} as o where not (${except})`,
  );
}

/** Moves an older deployment, writes two new minutes of a symbol and corrects one, and goes back. */
async function writeMeanwhile(symbol: string, older: Older): Promise<Result> {
  await migrate(older.db);
  await older.db.query(
    "select public.upsert_bars($1::jsonb)",
    [JSON.stringify(["2026-01-05T15:00:00Z", "2026-01-05T15:01:00Z", "2026-01-05T00:00:00Z"].map((ts_utc) => ({
      canonical_symbol: symbol,
      ts_utc,
      ...{ open: 3, high: 4, low: 2.5, close: 3.25, vol: 7, trade_count: 9 },
    })))],
  );
  // The same values again are no change.
  await older.db.exec("update public.data_bars set ingested_at = ingested_at where ts_utc = '2026-01-05 00:01+00'");
  await runDue(older.db, NOW);
  return await undo(older);
}

Deno.test("undo_move() keeps minutes that were written meanwhile, by key", async (test) => {
  await using cluster = await useCluster();
  for (
    const [shape, symbol] of [["surrogate_id", "ACME"], ["numeric", "ACME"], ["no_zone", "ACME"], [
      "only_bars",
      "ACME",
    ]] as const
  ) {
    await test.step(shape, async () => {
      await using older = await openOlder(cluster, shape);
      const { db } = older;
      const touched =
        "o.ts_utc >= '2026-01-05 15:00' and o.ts_utc < '2026-01-06' or o.timeframe = '1m' and o.ts_utc = '2026-01-05 00:00'";
      const before = await checksum(db, "data_bars", touched);
      // Soft-deleted versions stay as they are.
      const live = shape === "surrogate_id" ? 2 : 1;
      assert.deepEqual(await writeMeanwhile(symbol, older), {
        minutes_added: 2,
        minutes_updated: live,
        minutes_left_out: 0,
      });
      assert.equal(await checksum(db, "data_bars", touched), before);
      const rows = await db.query(
        `select distinct to_char(o.ts_utc, 'HH24:MI') as minute, o.open::float8, o.high::float8, o.low::float8, o.close::float8, o.vol::float8
         from public.data_bars as o where o.timeframe = '1m' and (${touched}) order by 1`,
      );
      const values = { open: 3, high: 4, low: 2.5, close: 3.25, vol: 7 };
      assert.deepEqual(rows, ["00:00", "15:00", "15:01"].map((minute) => ({ minute, ...values })));
    });
  }
});

Deno.test("undo_move() puts minutes of a computed series where its minutes were", async (test) => {
  await using cluster = await useCluster();

  await test.step("in the derived table, where the documents began", async () => {
    await using older = await openOlder(cluster, "documents");
    const { db } = older;
    const added = "o.canonical_symbol = 'DXY' and o.timeframe = '1m' and o.ts_utc > '2026-01-05 13:49+00'";
    const [bars, derived] = [await checksum(db, "data_bars"), await checksum(db, "derived_data_bars")];
    const state = await checksum(db, "data_agg_state");
    await migrate(db);
    await runDue(db, NOW);
    // The ten last minutes are new. The others stay, although what their components make differs.
    assert.deepEqual(await undo(older), { minutes_added: 10, minutes_updated: 0, minutes_left_out: 0 });
    assert.equal(await checksum(db, "data_bars"), bars);
    assert.equal(await checksum(db, "derived_data_bars", added), derived);
    assert.equal(await checksum(db, "data_agg_state"), state);
    assert.deepEqual(
      await db.query(
        `select count(*) as minutes, count(o.deleted_at) as deleted, max(o.source) as source, max(o.source_candles) as candles,
           max(o.quality_score) as quality
         from public.derived_data_bars as o where ${added}`,
      ),
      [{ minutes: 10, deleted: 0, source: "derived", candles: 6, quality: 2 }],
    );
  });

  await test.step("in data_bars, where they were executed", async () => {
    await using older = await openOlder(cluster, "executed");
    const before = await checksum(older.db, "data_bars");
    await migrate(older.db);
    await runDue(older.db, NOW);
    assert.deepEqual(await undo(older), { minutes_added: 5, minutes_updated: 0, minutes_left_out: 0 });
    assert.equal(
      await checksum(older.db, "data_bars", "o.canonical_symbol = 'DXY' and o.ts_utc >= '2026-01-05 05:55+00'"),
      before,
    );
  });

  await test.step("nowhere, where there were none", async () => {
    await using older = await openOlder(cluster, "only_bars");
    await migrate(older.db);
    await older.db.exec(`
      insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
      select p.symbol, '2026-01-05 00:00+00', 1, 1, 1, 1
      from unnest(array['EURUSD', 'USDJPY', 'GBPUSD', 'USDCAD', 'USDSEK', 'USDCHF']) as p (symbol)`);
    await runDue(older.db, NOW);
    assert.deepEqual(await undo(older), { minutes_added: 6, minutes_updated: 0, minutes_left_out: 1 });
  });
});

Deno.test("undo_move() is refused without a move, and while something made since uses the new tables", async () => {
  await using cluster = await useCluster();
  await using empty = await openOlder(cluster);
  await migrate(empty.db);
  await assert.rejects(empty.db.query("select public.undo_move()"), /no older deployment is set aside/);
  await assert.rejects(
    empty.db.query("select public.finish_move(p_despite_checks => true)"),
    /no older deployment is set aside/,
  );

  await using older = await openOlder(cluster, "documents");
  const before = await dumpAll(cluster, older.url);
  await migrate(older.db);
  await older.db.exec(`
    create view mine as select b.canonical_symbol from public.data_bars as b;
    create table orders (symbol text references public.core_asset_registry_all);
  `);
  const problem =
    "made since the move, and used with its tables: constraint orders_symbol_fkey on table public.orders, view public.mine. " +
    "Drop these first";
  await assert.rejects(older.db.query("select public.undo_move()"), new RegExp(problem));
  assert.deepEqual((await readStatus(older.db)).filter(({ subject }) => subject === "undo_move()"), [
    { subject: "undo_move()", outcome: "refused", rows: null, explanation: problem },
  ]);
  await older.db.exec("drop view mine; drop table orders");
  await older.db.query("select public.undo_move(false)");
  assert.equal(await dumpAll(cluster, older.url), before);
});

Deno.test("undo_move() goes back without minutes that an old table refuses", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "only_bars");
  await older.db.exec(`
    alter table data_bars add column batch text not null default 'x';
    alter table data_bars alter column batch drop default;
  `);
  const before = await dumpAll(cluster, older.url);
  await migrate(older.db);
  await older.db.exec(
    "insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close) values ('ACME', '2026-01-06 00:00+00', 1, 1, 1, 1)",
  );
  await assert.rejects(undo(older), /null value in column "batch"/);
  assert.equal(await readValue(older.db, "select to_regclass('pgbars_before.data_bars') is not null"), true);
  await older.db.query("select public.undo_move(p_keep_minutes => false)");
  assert.equal(await dumpAll(cluster, older.url), before);
});
