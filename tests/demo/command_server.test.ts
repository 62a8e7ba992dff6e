import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { demo } from "./command.ts";

Deno.test("demo --db plays on a server by its own clock, where pg_cron has already run jobs by the wall clock", async () => {
  await using cluster = await startCluster();
  const db = await openServer(cluster.url());
  await migrate(db);
  assert.equal((await db.query("select from cron.job")).length, 2);
  await db.query("select public.agg_maintain()");
  await db.query("select public.agg_run_due()");

  const first = await demo("--db", cluster.url(), "--weeks", "1", "--hours", "1");
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /2 pg_cron jobs are taken away/);
  assert.match(
    first.stdout,
    /^canonical_symbol +DXY +BTCUSD\ntimeframe +1h +5m\nts_utc +2025-09-08 \d\d:00 +2025-09-08 13:50$/m,
  );

  const query = "select canonical_symbol, ts_utc, close from data_bars order by ts_utc, canonical_symbol";
  const csv = await demo("--db", cluster.url(), "--sql", query, "--csv");
  assert.equal(csv.code, 0, csv.stderr);
  const bars = await db.query<{ canonical_symbol: string; ts_utc: Date; close: number }>(query);
  assert.ok(bars.length > 50_000);
  assert.ok(
    csv.stdout === [
      "canonical_symbol,ts_utc,close",
      ...bars.map((bar) => {
        return [bar.canonical_symbol, bar.ts_utc.toISOString(), bar.close].join();
      }),
      "",
    ].join("\n"),
  );

  assert.deepEqual(await db.query("select from cron.job"), []);
  const counts = () =>
    db.query("select canonical_symbol, timeframe, count(*) from derived_data_bars group by 1, 2 order by 1, 2");
  const before = await counts();
  assert.equal(before.length, 20, "5m and 1h of nine assets and DXY");

  const second = await demo("--db", cluster.url(), "--once");
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(await counts(), before);

  await db.exec("update core_asset_registry_all set metadata = metadata - 'demo' where canonical_symbol = 'SPY'");
  const refused = await demo("--db", cluster.url(), "--once");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /holds SPY, which is not of this demo/);
  await db.close();
});
