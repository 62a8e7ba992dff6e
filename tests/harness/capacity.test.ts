import assert from "node:assert/strict";
import { playDay } from "../../scripts/capacity/day.ts";
import { renderPage } from "../../scripts/capacity/page.ts";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";

Deno.test("playDay() plays every minute with its jobs, counts what they cost, and the page says so", async () => {
  await using cluster = await useCluster();
  const url = await cluster.createDatabase(`capacity_${crypto.randomUUID()}`);
  const owner = await openServer(url);
  await migrate(owner);
  const hours: number[] = [];
  const day = await playDay(() => openServer(url), 20, 70, (hour) => hours.push(hour));
  const [stored] = await owner.query("select count(*) as bars from public.data_bars");
  await owner.close();

  assert.deepEqual(hours, [1]);
  const { ingest, dispatch, maintain } = day.costs;
  assert.deepEqual([ingest.calls, dispatch.calls, maintain.calls], [70, 70, 14]);
  assert.ok(ingest.walBytes > 100_000 && dispatch.walBytes > 50_000, JSON.stringify(day.costs));
  assert.ok(dispatch.cpuSeconds > 0);
  const rows = (timeframe: string) => day.sizes.find((size) => size.timeframe === timeframe)?.rows;
  assert.equal(rows("1m"), stored!["bars"]);
  // The last complete window of 70 minutes with a delay of five ends at 65.
  assert.equal(rows("5m"), 20 * 13);
  assert.equal(rows("1h"), 20);
  assert.equal(day.metrics.assets_without_tasks, 0);
  assert.ok(day.metrics.good_percent > 95);
  assert.match(renderPage(day, "15", "2026-01-01"), /\| a run takes less than 60 s \| at most \d/);
});
