import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";
import { psql, readBlocks, withoutSpaceAtEnds } from "./psql.ts";

const README = new URL("../../README.md", import.meta.url);

Deno.test("README's first example prints the bars that README shows", async () => {
  await using engine = await openEngine();
  const [, section] = /^## Make a bar\n([^]*?)^## /m.exec(await Deno.readTextFile(README)) ?? [];
  assert.ok(section, "README has a section Make a bar");
  let printed = "";
  let shown = 0;
  for (const { language, text } of readBlocks(section)) {
    if (language === "sql") {
      printed = withoutSpaceAtEnds(await psql(engine.url, engine.cluster.binDir, text));
    } else if (language === "") {
      assert.ok(printed.includes(withoutSpaceAtEnds(text)), `README shows\n${text}\nbut psql prints\n${printed}`);
      shown++;
    }
  }
  assert.equal(shown, 2);
});
