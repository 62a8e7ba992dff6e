import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { readValue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";

Deno.test("agg.version() is the version in deno.json", async () => {
  await using engine = await openEngine();
  assert.equal(await readValue(engine.db, "select agg.version()"), project.version);
});
