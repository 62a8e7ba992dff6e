import assert from "node:assert/strict";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { openCronDatabase } from "../support/cron.ts";
import { loadMarket } from "../support/market.ts";
import { psql, readBlocks } from "./psql.ts";

const FOLDER = new URL("../../docs/runbooks/", import.meta.url);

Deno.test("the SQL of the runbooks runs, and finds no row where they say so", async (test) => {
  await using cluster = await startCluster();
  await using db = await openCronDatabase(cluster);
  await loadMarket(db);
  for (const { name } of [...Deno.readDirSync(FOLDER)].toSorted((a, b) => a.name < b.name ? -1 : 1)) {
    await test.step(name, async () => {
      const blocks = readBlocks(await Deno.readTextFile(new URL(name, FOLDER))).filter(({ language }) =>
        language === "sql"
      );
      assert.ok(blocks.length > 3);
      for (const { text, before } of blocks) {
        const printed = await psql(cluster.url(), cluster.binDir, text);
        if (before.trimEnd().endsWith("You should see no row:")) assert.match(printed, /\(0 rows\)/, text);
      }
    });
  }
});
