import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { readValue } from "../support/dispatch.ts";
import { PAIRS } from "../support/pairs.ts";
import { ENGINES } from "../support/stack.ts";
import { fingerprint } from "../functions/fingerprint.ts";
import { attempt, everyAttempt } from "./attempts.ts";
import { functionNames, relationNames } from "./catalog.ts";
import { ROWS, WORKER_CALLS } from "./worker_day.ts";

const OWNERS_CALLS = [
  "disable_broadcast",
  "enable_broadcast",
  "finish_move",
  "grant_operations_access",
  "grant_read_access",
  "install_webhooks",
  "remove_webhooks",
  "revoke_operations_access",
  "revoke_read_access",
  "schedule_jobs",
  "undo_move",
];

/** Written by a trigger alone. */
const READ_ONLY = "derived_data_bars_revision";

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`what service_role may do over the Data API (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db, keys } = stack;
    const client = createClient(stack.url, keys.secret);

    await test.step("it inserts, upserts, changes, reads and deletes in every table of the contract", async () => {
      assert.deepEqual([...Object.keys(ROWS), READ_ONLY], await relationNames(db, "public"));
      assert.equal((await client.from(READ_ONLY).select()).error, null);
      assert.equal((await client.from(READ_ONLY).delete().eq("canonical_symbol", "ACME")).error?.code, "42501");
      for (const [table, { key, row, change }] of Object.entries(ROWS)) {
        const where = { canonical_symbol: row["canonical_symbol"] };
        const written = [
          await client.from(table).insert(row),
          await client.from(table).upsert(row, { onConflict: key }),
          await client.from(table).update(change).match(where),
        ];
        assert.deepEqual(written.map(({ error }) => error), [null, null, null], table);
        const { data } = await client.from(table).select(Object.keys(change).join()).match(where);
        assert.deepEqual(data, [change], table);
        assert.equal((await client.from(table).delete().match(where)).error, null, table);
        assert.deepEqual((await client.from(table).select().match(where)).data, [], table);
      }
    });

    await test.step("it calls every function but the owner's", async () => {
      const called = new Set(WORKER_CALLS.map(([name]) => name));
      assert.deepEqual([...called, ...OWNERS_CALLS].sort(), await functionNames(db, "public"));
      const assets = PAIRS.map((symbol) => ({ canonical_symbol: symbol, active: true }));
      assert.equal((await client.from("core_asset_registry_all").insert(assets)).error, null);
      for (const [name, args] of WORKER_CALLS) {
        assert.equal((await client.rpc(name, args)).error, null, name);
      }
      assert.equal(
        await readValue(
          db,
          "select count(distinct d.canonical_symbol) from public.derived_data_bars as d where d.timeframe = '1h'",
        ),
        PAIRS.length + 1,
      );
    });

    await test.step("what is the owner's to call is refused, and does nothing", async () => {
      const before = await fingerprint(db);
      const calls = (await everyAttempt(db)).filter(({ path }) => OWNERS_CALLS.some((call) => path === `rpc/${call}`));
      assert.equal(calls.length, OWNERS_CALLS.length);
      for (const call of calls) {
        const { status, message } = await attempt(stack, { key: keys.secret }, call);
        assert.deepEqual([status, message], [403, `permission denied for ${call.target}`]);
      }
      assert.deepEqual(await fingerprint(db), before);
    });

    await test.step("nothing in agg can be reached", async () => {
      const agg = { "accept-profile": "agg", "content-profile": "agg" };
      const attempts = [
        ...(await relationNames(db, "agg")).flatMap((name) => [
          { method: "GET", path: name },
          { method: "POST", path: name, body: {} },
        ]),
        ...(await functionNames(db, "agg")).map((name) => ({ method: "POST", path: `rpc/${name}`, body: {} })),
      ];
      assert.ok(attempts.length > 50);
      for (const one of attempts) {
        const { status, code } = await attempt(stack, { key: keys.secret }, { ...one, headers: agg });
        assert.deepEqual([status, code], [406, "PGRST106"], `${one.method} ${one.path} of agg`);
        assert.equal((await attempt(stack, { key: keys.secret }, one)).status, 404, `${one.method} ${one.path}`);
      }
    });
  });
}
