import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";
import { readRecipe, runRecipe } from "./recipes.ts";

const TITLE = "Load a file of local times";

Deno.test("a file of local times loads by the recipe, on both sides of a change of the clock", async () => {
  await using engine = await openEngine();
  const { db, cluster, url } = engine;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/bars.csv`,
      `symbol,local_time,open,high,low,close,volume
ACME,2026-03-06 09:30:00,1,2,1,1,10
ACME,2026-03-09 09:30:00,1,2,1,1,20
ACME,2026-10-30 15:59,1,2,1,1,30
ACME,2026-11-02 15:59,1,2,1,1,
`,
    );
    // Whatever the zone of the session.
    for (const PGTZ of ["UTC", "Asia/Kolkata"]) await runRecipe(cluster, TITLE, { folder, URL: url, PGTZ });
    const rows = await db.query("select ts_utc, vol from public.data_bars order by ts_utc");
    assert.deepEqual(rows, [
      { ts_utc: new Date("2026-03-06T14:30Z"), vol: 10 },
      { ts_utc: new Date("2026-03-09T13:30Z"), vol: 20 },
      { ts_utc: new Date("2026-10-30T19:59Z"), vol: 30 },
      { ts_utc: new Date("2026-11-02T20:59Z"), vol: null },
    ]);

    await Deno.writeTextFile(
      `${folder}/bars.csv`,
      "symbol,local_time,open,high,low,close,volume\nACME,2026-11-01 01:30,1,2,1,1,1\nACME,2026-11-01 01:30,1,2,1,1,2\n",
    );
    await assert.rejects(runRecipe(cluster, TITLE, { folder, URL: url }), /a second time/);
    assert.match(await readRecipe(TITLE), /at time zone/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
