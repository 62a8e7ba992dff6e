import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";
import { runRecipe } from "./recipes.ts";

Deno.test("the month of a year ago exports by the recipe, for all that has a floor to come", async () => {
  await using engine = await openEngine();
  const { db, cluster, url } = engine;
  const folder = await Deno.makeTempDir();
  try {
    await db.exec(`
      insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
        ('ACME', true, '{"agg": {"keep": {"1m": "400 days"}, "start_utc": "2020-01-01T00:00:00Z"}}'), ('OTHER', true, '{}');
      insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
      select s, date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - m.age, 1, 1, 1, 1, 7
      from unnest(array['ACME', 'OTHER']) as s
      cross join unnest(array[interval '13 months 1 minute', '13 months', '12 months 1 minute', '12 months', '1 month']) as m (age);
    `);
    await runRecipe(cluster, "Export minutes before they are removed", { folder, URL: url });
    const [header, ...lines] = (await unpack(`${folder}/minutes.csv.gz`)).trimEnd().split("\n");
    const columns = header!.split(",");
    const exported = lines.map((line) => {
      const values = line.split(",");
      return [values[0], new Date(values[columns.indexOf("ts_utc")]!)];
    });
    const [month] = await db.query<{ starts: Date; ends: Date }>(
      `select m.month - interval '13 months' as starts, m.month - interval '12 months 1 minute' as ends
       from (select date_trunc('month', now() at time zone 'UTC') at time zone 'UTC') as m (month)`,
    );
    assert.deepEqual(exported, [["ACME", month!.starts], ["ACME", month!.ends]]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function unpack(path: string): Promise<string> {
  using file = await Deno.open(path);
  return await new Response(file.readable.pipeThrough(new DecompressionStream("gzip"))).text();
}
