import assert from "node:assert/strict";
import { checkProperty } from "../support/check_property.ts";
import type { BarFunctionName } from "../support/function_client.ts";
import { ENGINES } from "../support/stack.ts";
import { fingerprint } from "./fingerprint.ts";
import { hostileBody } from "./hostile_values.ts";
import { asset, bar, webhook } from "./payloads.ts";

const GOOD: Record<BarFunctionName, Record<string, unknown>[]> = {
  "registry-sync": [
    { env: "prod" },
    webhook("INSERT", "core_asset_registry_all", asset("EURUSD")),
    webhook("UPDATE", "core_asset_registry_all", asset("EURUSD"), asset("EURUSD", false)),
  ],
  "derive-dxy": [
    { from: "2025-07-01T00:00:00Z", to: "2025-07-02T00:00:00Z", symbol: "DXY", version: 1 },
    webhook("INSERT", "data_bars", bar("EURUSD", "2025-07-01T00:00:00+00:00")),
    webhook("DELETE", "data_bars", bar("EURUSD", "2025-07-01T00:00:00+00:00")),
  ],
};

/** How many bodies are sent to each function on each engine. */
const RUNS = 100;

for (const [engine, openStack] of Object.entries(ENGINES)) {
  for (const [name, good] of Object.entries(GOOD) as [BarFunctionName, Record<string, unknown>[]][]) {
    Deno.test(`${name} survives hostile bodies, and what it refuses changes nothing (${engine})`, async () => {
      await using stack = await openStack();
      await stack.db.exec(`
        insert into public.core_asset_registry_all (canonical_symbol, active, test_active) values ('EURUSD', true, false);
        insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
        values ('EURUSD', '2025-07-01 00:00:00+00', 1, 1, 1, 1);
      `);
      const statuses = new Map<number, number>();
      let before = await fingerprint(stack.db);
      const send = async (body: string) => {
        const { status, text } = await stack.send(name, { body });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        assert.ok([200, 409, 422].includes(status), `${status} ${text}`);
        const after = await fingerprint(stack.db);
        if (status !== 200) assert.deepEqual(after, before);
        before = after;
      };
      await checkProperty(RUNS, [hostileBody(good)], send);
      await send(JSON.stringify(webhook("INSERT", "another_table", asset("EURUSD"))));
      for (const status of [200, 409, 422]) assert.ok(statuses.has(status), `no answer was a ${status}`);
    });
  }
}
