import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { type BarInput, createPgbars } from "../../client/mod.ts";

Deno.test("upsertBars() sends a whole number as it was given, in any spelling", async () => {
  const counts: [given: BarInput["trade_count"], sent: string][] = [
    [12, "12"],
    [12.0, "12"],
    [1.2e3, "1200"],
    [1e21, "1e+21"],
    [12n, '"12"'],
    [2n ** 63n - 1n, '"9223372036854775807"'],
    ["12", '"12"'],
    ["12.0", '"12.0"'],
    ["1.2e3", '"1.2e3"'],
    [null, "null"],
  ];
  let body = "";
  const answer = { inserted: counts.length, updated: 0, unchanged: 0, superseded: 0, refused: [], unregistered: [] };
  const client = createClient("http://127.0.0.1:1", "key", {
    auth: { persistSession: false },
    global: {
      fetch: async (input, init) => {
        body = await new Request(input, init).text();
        return Response.json(answer);
      },
    },
  });
  const rows = counts.map(([trade_count], minute) => ({
    ...{ canonical_symbol: "EURUSD", ts_utc: new Date(minute * 60_000), open: 1, high: 1, low: 1, close: 1 },
    trade_count,
  }));
  const { inserted, refused } = await createPgbars(client).upsertBars(rows);
  assert.deepEqual([inserted, refused], [counts.length, []]);
  const sent = [...body.matchAll(/"trade_count":("[^"]*"|[^,}]*)/g)].map(([, value]) => value);
  assert.deepEqual(sent, counts.map(([, value]) => value));
});
