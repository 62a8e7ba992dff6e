import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";
import { waitUntil } from "../support/wait.ts";

const SETTINGS = { wal_level: "logical", max_wal_senders: "4", max_replication_slots: "4" };
const NOW = new Date("2025-07-01T06:00:00Z");

Deno.test("bars that arrive by logical replication are built, corrected and taken back", async (test) => {
  await using cluster = await startCluster({ settings: SETTINGS });
  await using publisher = await openEngine(cluster);
  await using subscriber = await openEngine(cluster);
  const { db } = subscriber;
  await addAsset(db, "ACME");
  await addMinutes(publisher.db, "ACME", 300);
  await publisher.db.exec("create publication bars for table public.data_bars");
  // Within one cluster the subscription cannot make its slot: it would wait for its own transaction.
  await publisher.db.query("select pg_create_logical_replication_slot('pgbars_test', 'pgoutput')");
  await db.exec(
    `create subscription bars connection 'port=${cluster.port} host=${cluster.socketDir} user=postgres dbname=${
      new URL(publisher.url).pathname.slice(1)
    }' publication bars with (create_slot = false, slot_name = 'pgbars_test')`,
  );

  /** Runs a statement at the publisher, waits until it has arrived, and lets the dispatcher work. */
  const replicate = async (sql: string) => {
    await publisher.db.exec(sql);
    await waitUntil(async () => await fingerprint(db) === await fingerprint(publisher.db), 60);
    const notes = await readValue<number>(db, "select count(*) from agg.change_note");
    const { failed, stopped_reason } = await runDue(db, NOW);
    assert.deepEqual([failed, stopped_reason], [0, "idle"]);
    assert.equal(await readValue(db, "select count(*) from public.agg_verify()"), 0);
    return notes;
  };

  try {
    await test.step("a first copy is built, and leaves few notes", async () => {
      const notes = await replicate("");
      assert.ok(notes > 0 && notes <= 5, `${notes} notes`);
      assert.equal(await hours(db), 5);
    });

    await test.step("an old minute that is updated changes its hour", async () => {
      await replicate(`update public.data_bars set high = 7 where ts_utc = '2025-07-01 01:31+00'`);
      assert.equal(
        await readValue(
          db,
          "select high from public.derived_data_bars where timeframe = '1h' and ts_utc = '2025-07-01 01:00+00'",
        ),
        7,
      );
    });

    await test.step("five minutes that are deleted take their bar along", async () => {
      await replicate(
        `delete from public.data_bars where ts_utc >= '2025-07-01 02:10+00' and ts_utc < '2025-07-01 02:15+00'`,
      );
      const live =
        "select count(*) from public.derived_data_bars where timeframe = '5m' and ts_utc = '2025-07-01 02:10+00'" +
        " and deleted_at is null";
      assert.equal(await readValue(db, live), 0);
    });

    await test.step("minutes that move to another time are missed there and found here", async () => {
      await replicate(
        `update public.data_bars set ts_utc = ts_utc - interval '1 hour 20 minutes'
         where ts_utc >= '2025-07-01 03:30+00' and ts_utc < '2025-07-01 03:35+00'`,
      );
      const live =
        "select count(*) from public.derived_data_bars where timeframe = '5m' and deleted_at is null and ts_utc in " +
        "('2025-07-01 02:10+00', '2025-07-01 03:30+00')";
      assert.equal(await readValue(db, live), 1);
    });

    await test.step("late minutes are built", async () => {
      await addMinutes(publisher.db, "ACME", 60, "2025-06-30 23:00+00");
      await db.exec(
        `update public.core_asset_registry_all set metadata = '{"agg": {"start_utc": "2025-06-30T00:00:00Z"}}'
         where canonical_symbol = 'ACME'`,
      );
      await replicate("");
      assert.equal(await hours(db), 6);
    });

    await test.step("a truncate takes everything back", async () => {
      await replicate("truncate public.data_bars");
      assert.equal(await hours(db), 0);
    });
  } finally {
    await db.exec(
      "alter subscription bars disable; alter subscription bars set (slot_name = none); drop subscription bars",
    );
  }
});

/** As an asset of its own would be: DXY takes no part. */
async function addAsset(db: Database, symbol: string): Promise<void> {
  await db.query(
    `insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
     values ($1, true, '{"agg": {"start_utc": "2025-07-01T00:00:00Z"}}')`,
    [symbol],
  );
}

async function addMinutes(db: Database, symbol: string, minutes: number, from = "2025-07-01 00:00+00"): Promise<void> {
  await db.query(
    `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
     select $1, $3::timestamptz + m.n * interval '1 minute', 1, 2, 1, 1 from generate_series(0, $2::integer - 1) as m (n)`,
    [symbol, minutes, from],
  );
}

async function fingerprint(db: Database): Promise<string | null> {
  return await readValue(
    db,
    "select md5(string_agg(b.canonical_symbol || b.ts_utc || b.high, ',' order by b.canonical_symbol, b.ts_utc)) from public.data_bars as b",
  );
}

async function hours(db: Database): Promise<number> {
  return await readValue(
    db,
    "select count(*) from public.derived_data_bars where timeframe = '1h' and deleted_at is null",
  );
}
