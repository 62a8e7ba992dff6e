import assert from "node:assert/strict";
import { type Group, GROUPS, simulate } from "../../scripts/lag/simulate.ts";
import { openEngine } from "../support/engine.ts";

Deno.test("with a hundred times more due than a minute allows, the lag of every mandatory task stays bounded", async () => {
  await using engine = await openEngine();
  const { overload, samples } = await simulate(engine.db, 300);
  assert.ok(overload >= 100, `${overload} times`);
  const lags = (group: Group) => samples.filter((sample) => sample.group === group).map(({ lag }) => lag);
  for (const group of GROUPS) {
    const found = lags(group);
    assert.equal(found.length, 301, group);
    const first = found[0]!;
    const rise = Math.max(...found) - first;
    // Before shorter timeframes gave way, live hours were up to 91 minutes late, and those that were behind fell 153 further.
    assert.ok(rise <= (group.startsWith("live") ? 10 : 30), `${group} rose by ${rise} minutes`);
    assert.ok(found.at(-1)! <= 10, `${group} has ${found.at(-1)} minutes at the end`);
  }
});
