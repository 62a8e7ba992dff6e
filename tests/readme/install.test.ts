import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";
import { psql, readBlocks, withoutSpaceAtEnds } from "./psql.ts";

const INSTALL = new URL("../../docs/install.md", import.meta.url);

Deno.test("docs/install.md shows what a new installation says of itself", async () => {
  await using engine = await openEngine();
  // The job's first minute.
  await engine.db.query("select agg_run_due()");
  const blocks = readBlocks(await Deno.readTextFile(INSTALL)).filter(({ language }) => language !== "sh");
  assert.deepEqual(blocks.map(({ language }) => language), ["sql", "", "sql"]);
  const [first, shown, second] = blocks.map(({ text }) => text) as [string, string, string];
  const run = (sql: string) => psql(engine.url, engine.cluster.binDir, sql);
  const printed = withoutSpaceAtEnds(await run(first));
  assert.ok(printed.includes(withoutSpaceAtEnds(shown)), `the page shows\n${shown}\nbut psql prints\n${printed}`);
  assert.match(printed, /\(5 rows\)/);
  assert.match(await run(second), /verdict +\| \* +\| PASS\s+\(1 row\)/);
});
