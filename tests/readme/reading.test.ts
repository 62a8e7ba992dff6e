import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";
import { psql, readBlocks, withoutSpaceAtEnds } from "./psql.ts";

Deno.test("docs/reading.md shows what its examples print", async () => {
  await using engine = await openEngine();
  const read = (page: string) => Deno.readTextFile(new URL(`../../${page}`, import.meta.url));
  const [, before] = /^## Make a bar\n([^]*?)^## /m.exec(await read("README.md")) ?? [];
  for (const { language, text } of readBlocks(before!)) {
    if (language === "sql") await psql(engine.url, engine.cluster.binDir, text);
  }
  let printed = "";
  let shown = 0;
  for (const { language, text } of readBlocks(await read("docs/reading.md"))) {
    if (language === "sql") {
      printed = withoutSpaceAtEnds(await psql(engine.url, engine.cluster.binDir, text));
    } else if (language === "") {
      assert.ok(
        text !== "" && printed.includes(withoutSpaceAtEnds(text)),
        `the page shows\n${text}\nbut psql prints\n${printed}`,
      );
      shown++;
    }
  }
  assert.equal(shown, 6);
});
