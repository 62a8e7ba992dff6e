import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { dumpSchema } from "../../scripts/schema/dump.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { dumpAll, dumpMovedSchema, NOW, openOlder, readCounts, type Shape, SHAPES } from "./older.ts";

const TABLES = ["core_asset_registry_all", "data_bars", "derived_data_bars", "data_agg_state"];

/** What became of the rows of each shape. */
const COUNTS: Record<Shape, Record<string, number>> = {
  documents: {
    "core_asset_registry_all taken over: to core_asset_registry_all": 8,
    "core_asset_registry_all taken over: to core_asset_registry_all; metadata were no JSON object and are {} now": 1,
    "data_bars taken over: to data_bars": 7 * 840,
    "derived_data_bars taken over: 1m of computed series, to data_bars": 840,
    "derived_data_bars stayed: 1m: deleted": 60,
    "derived_data_bars taken over: longer bars, to derived_data_bars": 7 * 72 + 24 + 1,
    "derived_data_bars stayed: 2h is not a timeframe": 1,
    "derived_data_bars stayed: high must not be below open or close.": 1,
    "derived_data_bars stayed: ts_utc must be the start of a window of its timeframe. Above 1h the asset says where windows start: then it must be a whole minute.":
      1,
    "data_agg_state taken over: to data_agg_state; cursors are the last bars": 16,
    "data_agg_state stayed: the asset is not active": 2,
    "data_agg_state stayed: metadata.agg of the asset do not ask for 15m": 1,
    "data_agg_state stayed: the registry does not have the asset": 1,
  },
  surrogate_id: {
    "core_asset_registry_all taken over: to core_asset_registry_all": 1,
    "core_asset_registry_all stayed: a newer row has the symbol": 1,
    "core_asset_registry_all stayed: canonical_symbol is null": 1,
    "core_asset_registry_all stayed: canonical_symbol must have 1 to 200 characters, no control characters and no spaces around it.":
      1,
    "data_bars taken over: to data_bars": 240,
    "data_bars stayed: a newer row has the key": 238,
    "data_bars stayed: deleted": 1,
    "data_bars stayed: high must not be below open or close.": 1,
    "derived_data_bars taken over: longer bars, to derived_data_bars": 72,
    "derived_data_bars stayed: a newer row has the key": 72,
  },
  is_active: {
    "core_asset_registry_all taken over: to core_asset_registry_all": 3,
    "core_asset_registry_all taken over: to core_asset_registry_all; metadata were no JSON object and are {} now": 2,
    "data_bars taken over: to data_bars": 540,
    "data_agg_state taken over: to data_agg_state; cursors are the last bars": 2,
  },
  numeric: {
    "core_asset_registry_all taken over: to core_asset_registry_all": 1,
    "data_bars taken over: to data_bars": 175,
    "data_bars stayed: open, high, low and close must be finite, between -1e50 and 1e50.": 2,
    "data_bars stayed: trade_count must be from 0 to 1000000000000.": 1,
    "data_bars stayed: vol must be 0, or from 1e-50 to 1e50.": 1,
    "data_bars stayed: vwap must be 0, or from 1e-50 to 1e50 above or below it.": 1,
    "derived_data_bars taken over: longer bars, to derived_data_bars": 2,
    "derived_data_bars stayed: 1m: 1m of a series that is not computed": 1,
    "derived_data_bars stayed: a newer row has the key": 1,
    "derived_data_bars stayed: ts_utc must be the start of a window of its timeframe. Above 1h the asset says where windows start: then it must be a whole minute.":
      1,
  },
  no_zone: {
    "core_asset_registry_all taken over: to core_asset_registry_all": 1,
    "data_bars taken over: to data_bars": 240,
    "derived_data_bars taken over: longer bars, to derived_data_bars": 72,
    "data_agg_state taken over: to data_agg_state; cursors are the last bars": 2,
  },
  only_bars: {
    "data_bars taken over: to data_bars": 120,
    "data_bars stayed: 1d: longer bars are built from 1m": 1,
    "data_bars stayed: 5m: longer bars are built from 1m": 1,
    "data_bars stayed: 1min is not a timeframe": 1,
    "data_bars stayed: high must not be below open or close.": 1,
    "data_bars stayed: open is null": 1,
    "data_bars stayed: open, high, low and close must be finite, between -1e50 and 1e50.": 1,
    "data_bars stayed: ts_utc must be a whole minute.": 2,
    "data_bars stayed: vol must be 0, or from 1e-50 to 1e50.": 1,
  },
  only_functions: {},
  executed: {
    "core_asset_registry_all taken over: to core_asset_registry_all": 7,
    "data_bars taken over: to data_bars": 6 * 360 + 365,
    "derived_data_bars taken over: longer bars, to derived_data_bars": 6 * 48 + 50,
    "derived_data_bars stayed: 1m: deleted": 365,
    "data_agg_state taken over: to data_agg_state; cursors are the last bars": 14,
  },
};

/** What a shape shows beyond that, after the move and before the dispatcher: a query and its one row. */
const SHOWN: Record<Shape, [string, unknown][]> = {
  documents: [
    [
      `select count(*) as minutes, min(b.close) as least, max(b.close) as most from public.data_bars as b
       where b.canonical_symbol = 'DXY' and b.source = 'synthetic' and b.raw ->> 'migrated_from' = 'derived_data_bars'`,
      { minutes: 840, least: 97, most: 98.5 },
    ],
    [taskOf("EURUSD", "5m"), {
      cursor: "2026-01-05 11:50:00Z",
      start: "2025-07-01 00:00:00Z",
      priority: 100,
      runs: 900,
      delay: 120,
      status: "idle",
    }],
    // The last hour is 11:00, but its source is decided to 11:55.
    [taskOf("GOLD", "1h"), {
      cursor: "2026-01-05 10:00:00Z",
      start: "2025-07-01 00:00:00Z",
      priority: 100,
      runs: 900,
      delay: 120,
      status: "idle",
    }],
    [taskOf("DXY", "1m"), {
      cursor: "2026-01-05 13:49:00Z",
      start: "2025-07-01 00:00:00Z",
      priority: 100,
      runs: 0,
      delay: 0,
      status: "idle",
    }],
    [assetOf("USDSEK"), { active: true, test_active: false, metadata: {} }],
    [assetOf("OLDCOIN"), { active: false, test_active: false, metadata: {} }],
    [assetOf("GBPUSD"), { active: true, test_active: false, metadata: { vendor: "massive" } }],
  ],
  surrogate_id: [
    [
      `select min(b.open) as least, max(b.open) as most, count(*) filter (where b.open = 1) as older, min(b.source) as source,
         min(b.raw ->> 'source') as given from public.data_bars as b`,
      { least: 1, most: 2, older: 2, source: "ingest", given: "polygon" },
    ],
    // Without a time the higher number is the newer one.
    ["select min(d.open) as least, max(d.open) as most from public.derived_data_bars as d", { least: 2, most: 2 }],
    [assetOf("ACME"), { active: true, test_active: true, metadata: { agg: { optional: ["15m"] } } }],
    [
      "select string_agg(s.timeframe, ' ' order by s.run_interval_minutes) as timeframes from public.data_agg_state as s where s.canonical_symbol = 'ACME'",
      { timeframes: "5m 15m 1h" },
    ],
  ],
  is_active: [
    [assetOf("ACME"), {
      active: true,
      test_active: true,
      metadata: { agg: { enabled: true, colour: "blue" }, vendor: "x" },
    }],
    [assetOf("BROKEN"), { active: true, test_active: true, metadata: {} }],
    [assetOf("UNKNOWN"), { active: false, test_active: false, metadata: {} }],
    // A cursor ahead of the clock; no bar is there.
    [taskOf("ACME", "5m"), {
      cursor: "2026-01-05 00:55:00Z",
      start: "2026-01-05 01:00:00Z",
      priority: 7,
      runs: 0,
      delay: 300,
      status: "idle",
    }],
    [taskOf("ACME", "1h"), {
      cursor: "2025-06-30 23:00:00Z",
      start: "2025-07-01 00:00:00Z",
      priority: 100,
      runs: 0,
      delay: 300,
      status: "idle",
    }],
    ["select min(b.open) as open, max(b.high) as high from public.data_bars as b", { open: 1.1, high: 1.2 }],
    [
      "select count(*) as assets from public.move_status() as s where s.subject = 'asset ACME' and s.explanation ~ 'colour'",
      { assets: 1 },
    ],
  ],
  numeric: [
    [
      "select min(b.open) as open, min(b.vol) as vol, min(b.trade_count) as trade_count, min(b.raw ->> 'a') as a from public.data_bars as b",
      { open: 94000.12345678, vol: 1.5, trade_count: 3, a: "1" },
    ],
  ],
  no_zone: [
    [
      `select to_char(min(b.ts_utc) at time zone 'UTC', 'HH24:MI') as first, to_char(max(b.ts_utc) at time zone 'UTC', 'HH24:MI') as last
       from public.data_bars as b`,
      { first: "00:00", last: "03:59" },
    ],
    // Bars are there up to 05:55, and minutes up to 03:59.
    [taskOf("ACME", "5m"), {
      cursor: "2026-01-05 03:55:00Z",
      start: "2025-07-01 00:00:00Z",
      priority: 100,
      runs: 42,
      delay: 300,
      status: "idle",
    }],
    [taskOf("ACME", "1h"), {
      cursor: "2025-06-30 23:00:00Z",
      start: "2025-07-01 00:00:00Z",
      priority: 100,
      runs: 7,
      delay: 300,
      status: "idle",
    }],
  ],
  only_bars: [
    [
      "select s.explanation from public.move_status() as s where s.subject = 'bars of ACME'",
      { explanation: "the registry does not have these symbols: nothing is built of their bars" },
    ],
  ],
  only_functions: [
    ["select count(*) as functions from public.move_status() as s where s.outcome = 'set aside'", { functions: 5 }],
    [
      `select count(*) as open from pg_proc as p where p.pronamespace = 'public'::regnamespace
         and has_function_privilege('anon', p.oid, 'execute')`,
      { open: 0 },
    ],
    [
      "select count(*) as overloads from pg_proc as p where p.proname = 'agg_start' and p.pronamespace = 'public'::regnamespace",
      {
        overloads: 1,
      },
    ],
  ],
  executed: [
    [
      'select count(*) as minutes from public.data_bars as b where b.source = \'synthetic\' and b.raw @> \'{"migrated_from": "data_bars", "kind": "dxy"}\'',
      { minutes: 365 },
    ],
    [taskOf("DXY", "5m"), {
      cursor: "2026-01-05 03:55:00Z",
      start: "2025-07-01 00:00:00Z",
      priority: 50,
      runs: 48,
      delay: 300,
      status: "idle",
    }],
  ],
};

function taskOf(symbol: string, timeframe: string): string {
  return `select to_char(s.last_agg_bar_ts_utc at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') as cursor,
      to_char(s.agg_start_utc at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') as start, s.task_priority as priority,
      s.total_runs as runs, s.aggregation_delay_seconds as delay, s.status
    from public.data_agg_state as s where s.canonical_symbol = '${symbol}' and s.timeframe = '${timeframe}'`;
}

function assetOf(symbol: string): string {
  return `select r.active, r.test_active, r.metadata from public.core_asset_registry_all as r where r.canonical_symbol = '${symbol}'`;
}

for (const shape of SHAPES) {
  Deno.test(`an older deployment is moved and taken back: ${shape}`, async (test) => {
    await using cluster = await useCluster();
    await using older = await openOlder(cluster, shape);
    const { db } = older;
    const before = await dumpAll(cluster, older.url);
    const total = await countRows(db, "public");
    // Whatever the zone of the session.
    await db.exec("set timezone = 'Asia/Kolkata'");
    await migrate(db);

    await test.step("every old row is in the new table, or counted with the reason", async () => {
      const counts = await readCounts(db);
      assert.deepEqual(counts, COUNTS[shape]);
      for (const [table, rows] of Object.entries(total)) {
        const counted = Object.entries(counts).filter(([key]) => key.startsWith(`${table} `));
        assert.equal(counted.reduce((sum, [, count]) => sum + count, 0), rows, table);
      }
      assert.deepEqual(await countRows(db, "pgbars_before"), total);
      const taken = Object.entries(counts).filter(([key]) =>
        / taken over: .*to (data_bars|derived_data_bars)$/.test(key)
      );
      const bars = await readValue<number>(
        db,
        "select (select count(*) from public.data_bars) + (select count(*) from public.derived_data_bars)",
      );
      assert.equal(bars, taken.reduce((sum, [, count]) => sum + count, 0));
      for (const [sql, row] of SHOWN[shape]) assert.deepEqual(await db.query(sql), [row], sql);
    });

    await test.step("once the dispatcher is idle, every bar is what its minutes make", async () => {
      const { failed, stopped_reason } = await runDue(db, NOW);
      assert.deepEqual({ failed, stopped_reason }, { failed: 0, stopped_reason: "idle" });
      assert.deepEqual(await db.query("select v.* from public.agg_verify() as v"), []);
    });

    await test.step("undo_move() leaves what was there before", async () => {
      await db.query("select public.undo_move(p_keep_minutes => false)");
      assert.equal(await dumpAll(cluster, older.url), before);
    });

    await test.step("moved again and finished, the schema is that of an empty installation", async () => {
      await migrate(db);
      await db.query("select public.finish_move(p_despite_checks => true)");
      assert.equal(await readValue(db, "select to_regnamespace('pgbars_before') is null"), true);
      assert.deepEqual(await db.query("select s.* from public.move_status() as s"), []);
      await using empty = await openOlder(cluster);
      await migrate(empty.db);
      assert.equal(await dumpMovedSchema(cluster, older), await dumpSchema(cluster, empty.url));
    });
  });
}

async function countRows(db: Database, schema: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    if (!await readValue(db, "select to_regclass($1) is not null", [`${schema}.${table}`])) continue;
    counts[table] = await readValue<number>(db, `select count(*) from ${schema}.${table}`);
  }
  return counts;
}
