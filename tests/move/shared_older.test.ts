import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { dumpAll, openOlder, readCounts } from "./older.ts";

const OLDER = new URL("../../../shared/older/", import.meta.url);
const NOW = new Date("2026-01-09T00:00:00Z");

async function isThere(): Promise<boolean> {
  try {
    await Deno.stat(OLDER);
    return true;
  } catch {
    return false;
  }
}

for (const type of ["double precision", "numeric(20,8)"]) {
  Deno.test({
    name: `the older deployment of ../shared/older is moved and taken back, with prices of type ${type}`,
    ignore: !await isThere(),
    async fn() {
      await using cluster = await useCluster();
      await using older = await openOlder(cluster);
      const { db } = older;
      const schema = await Deno.readTextFile(new URL("documents_schema.sql", OLDER));
      await db.exec(schema.replaceAll(/:num\b/g, type));
      await db.exec(await Deno.readTextFile(new URL("documents_functions.sql", OLDER)));
      const before = await dumpAll(cluster, older.url);

      await migrate(db);
      assert.deepEqual(await readCounts(db), {
        "core_asset_registry_all taken over: to core_asset_registry_all": 10,
        "data_bars taken over: to data_bars": 40_320,
        "derived_data_bars taken over: 1m of computed series, to data_bars": 5156,
        "derived_data_bars stayed: 1m: deleted": 600,
        "derived_data_bars taken over: longer bars, to derived_data_bars": 4916,
        "derived_data_bars stayed: deleted": 50,
        "data_agg_state taken over: to data_agg_state; cursors are the last bars": 17,
        "data_agg_state stayed: the asset is not active": 2,
        "data_agg_state stayed: metadata.agg of the asset do not ask for 15m": 1,
        "data_agg_state stayed: the registry does not have the asset": 1,
      });
      const { failed, stopped_reason } = await runDue(db, NOW);
      assert.deepEqual({ failed, stopped_reason }, { failed: 0, stopped_reason: "idle" });
      assert.equal(await readValue(db, "select count(*) from public.agg_verify()"), 0);
      // Minutes of DXY from before its components, which cannot be computed.
      assert.equal(
        await readValue(
          db,
          "select count(*) from public.data_bars as b where b.raw ->> 'migrated_from' = 'derived_data_bars'",
        ),
        120,
      );

      await db.query("select public.undo_move(p_keep_minutes => false)");
      assert.equal(await dumpAll(cluster, older.url), before);
    },
  });
}
