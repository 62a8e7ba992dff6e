import assert from "node:assert/strict";
import { checkProperty } from "../support/check_property.ts";
import { openEngine } from "../support/engine.ts";
import { countCoverage, EDGES } from "./coverage.ts";
import { playScenario } from "./run_scenario.ts";
import { scenario } from "./scenarios.ts";

const RUNS = 45;
/** From so many scenarios on every edge must come up. */
const LONG_RUN = 200;

Deno.test("bars and cursors of random histories equal those of the independent aggregator", async () => {
  await using engine = await openEngine();
  const seen = new Map<string, number>();
  const runs = await checkProperty(RUNS, [scenario], async (scenario) => {
    const { assets } = await playScenario(engine.db, scenario);
    countCoverage(seen, assets);
  });
  const missed = EDGES.filter((edge) => !seen.has(edge));
  assert.deepEqual(runs < LONG_RUN ? [] : missed, [], "edges that no history had");
});
