import assert from "node:assert/strict";
import { KEYS } from "../../scripts/lib/stack/keys.ts";
import { type Answer, type BarFunctionName, keyOf } from "../support/function_client.ts";
import { PAIRS } from "../support/pairs.ts";
import { ENGINES, type Stack } from "../support/stack.ts";
import { storeMinutes } from "../client/stored.ts";
import { fingerprint } from "./fingerprint.ts";
import { asset, bar, webhook } from "./payloads.ts";

const LIMIT = 256 * 1024;

/** What each function takes, and what it takes for malformed, by where the issue is. */
const CASES: Record<BarFunctionName, { good: unknown; otherTable: unknown; malformed: [string[], unknown][] }> = {
  "registry-sync": {
    good: { env: "prod" },
    otherTable: webhook("INSERT", "data_bars", bar("EURUSD", "2025-07-01T00:00:00+00:00")),
    malformed: [
      [["env"], { env: null }],
      [["env"], { env: "" }],
      [["env"], { env: "prod'; drop table public.data_bars; --" }],
      [["env"], { env: "a".repeat(33) }],
      [["env"], { env: 1 }],
      [[], { env: "prod", force: true }],
      [[], []],
      [[], null],
      [["table"], { type: "INSERT", schema: "public" }],
      [["type"], { schema: "public", table: "core_asset_registry_all" }],
      [["type"], { ...webhook("INSERT", "core_asset_registry_all", asset("EURUSD")), type: "TRUNCATE" }],
      [["record"], webhook("INSERT", "core_asset_registry_all", null)],
      [["record", "canonical_symbol"], webhook("INSERT", "core_asset_registry_all", { canonical_symbol: 5 })],
      [["record", "canonical_symbol"], webhook("INSERT", "core_asset_registry_all", asset("A".repeat(201)))],
      [["record", "canonical_symbol"], webhook("INSERT", "core_asset_registry_all", asset("A\u0000"))],
      [["old_record"], webhook("UPDATE", "core_asset_registry_all", asset("EURUSD"), null)],
      [["record"], { ...webhook("DELETE", "core_asset_registry_all", asset("EURUSD")), record: asset("EURUSD") }],
      [["old_record"], {
        ...webhook("INSERT", "core_asset_registry_all", asset("EURUSD")),
        old_record: asset("EURUSD"),
      }],
    ],
  },
  "derive-dxy": {
    good: { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z" },
    otherTable: webhook("INSERT", "core_asset_registry_all", asset("EURUSD")),
    malformed: [
      [["to"], { from: "2025-07-01T00:00:00Z" }],
      [["to"], { from: "2025-07-01T00:00:00Z", to: "2025-07-01T00:00:00Z" }],
      [["to"], { from: "2025-07-01T00:00:00Z", to: "2025-08-01T00:00:01Z" }],
      [["from"], { from: "2025-02-29T00:00:00Z", to: "2025-03-01T00:00:00Z" }],
      [["from"], { from: "2025-07-01T00:00:00", to: "2025-07-01T01:00:00Z" }],
      [["from"], { from: "1899-12-31T23:59:59Z", to: "1900-01-01T00:00:00Z" }],
      [["to"], { from: "2199-12-31T23:59:59Z", to: "2200-01-01T00:00:00Z" }],
      [["from"], { from: "infinity", to: "2025-07-01T01:00:00Z" }],
      [["from"], { from: 1751328000000, to: "2025-07-01T01:00:00Z" }],
      [["version"], { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z", version: 3 }],
      [["symbol"], { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z", symbol: "EURUSD" }],
      [["symbol"], { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z", symbol: "DXY'--" }],
      [["symbol"], { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z", symbol: "DXY\0" }],
      [["symbol"], { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z", symbol: "BASKET" }],
      [[], { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z", table_name: "data_bars" }],
      [[], [{}]],
      [
        ["record", "timeframe"],
        webhook("INSERT", "data_bars", { ...bar("EURUSD", "2025-07-01T00:00:00Z"), timeframe: "5m" }),
      ],
      [["record", "ts_utc"], webhook("INSERT", "data_bars", bar("EURUSD", "yesterday"))],
      [["old_record"], webhook("DELETE", "data_bars", null)],
    ],
  },
};

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`the functions refuse what they do not take, and change nothing (${engine})`, async (test) => {
    await using stack = await openStack();
    await stack.db.exec(`
      insert into public.core_asset_registry_all (canonical_symbol, active) values ('EURUSD', true);
      insert into public.core_asset_registry_all (canonical_symbol, metadata)
      values ('BASKET', '{"is_synthetic": false, "components": ["EURUSD"], "derivation_version": 1}');
    `);
    const untouched = await fingerprint(stack.db);

    for (const name of Object.keys(CASES) as BarFunctionName[]) {
      await test.step(`${name}: 401 without its own key`, () => refuseKeys(stack, name));
      await test.step(`${name}: 405 but for POST`, () => refuseMethods(stack, name));
      await test.step(`${name}: 413 over 256 KiB, declared or not`, () => refuseLengths(stack, name));
      await test.step(`${name}: 415 but for JSON`, () => refuseTypes(stack, name));
      await test.step(`${name}: 409 for another table or schema`, () => refuseTables(stack, name));
      await test.step(`${name}: 422 with the issues`, () => refuseBodies(stack, name));
    }

    assert.deepEqual(await fingerprint(stack.db), untouched);
    // Something for both to do, so that a request that is taken is seen.
    await stack.db.exec("delete from public.data_agg_state where canonical_symbol = 'EURUSD'");
    for (const symbol of PAIRS) await storeMinutes(stack.db, symbol, "2025-07-01T00:00:00Z", 1);
    for (const name of Object.keys(CASES) as BarFunctionName[]) {
      const before = await fingerprint(stack.db);
      const good = JSON.stringify(CASES[name].good);
      assert.equal((await stack.send(name, { body: good.padStart(LIMIT) })).status, 200, name);
      assert.notDeepEqual(await fingerprint(stack.db), before, name);
    }
  });
}

async function refuseKeys(stack: Stack, name: BarFunctionName): Promise<void> {
  const body = JSON.stringify(CASES[name].good);
  const other = name === "registry-sync" ? "derive-dxy" : "registry-sync";
  for (const apikey of ["", "sb_secret_wrong", KEYS.publishable, KEYS.secret, keyOf(other), `${keyOf(name)}x`]) {
    for (const init of [{ body }, { method: "GET" }, { method: "OPTIONS" }]) {
      expectRefusal(await stack.send(name, { ...init, headers: { apikey } }), 401);
    }
  }
  expectRefusal(await stack.send(name, { body, headers: { apikey: "", authorization: `Bearer ${keyOf(name)}` } }), 401);
}

async function refuseMethods(stack: Stack, name: BarFunctionName): Promise<void> {
  for (const method of ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const { headers } = expectRefusal(await stack.send(name, { method }), 405);
    assert.equal(headers.get("allow"), "POST");
  }
}

async function refuseLengths(stack: Stack, name: BarFunctionName): Promise<void> {
  const good = JSON.stringify(CASES[name].good);
  expectRefusal(await stack.send(name, { body: good.padEnd(LIMIT + 1) }), 413);
  expectRefusal(await stack.send(name, { body: new Blob([good.padEnd(LIMIT + 1)]).stream() }), 413);
}

async function refuseTypes(stack: Stack, name: BarFunctionName): Promise<void> {
  const body = JSON.stringify(CASES[name].good);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "json"]) {
    expectRefusal(await stack.send(name, { body, headers: { "content-type": type } }), 415);
  }
  const withCharset = await stack.send(name, {
    body: "[",
    headers: { "content-type": "Application/JSON; charset=utf-8" },
  });
  assert.equal(withCharset.status, 422);
}

async function refuseTables(stack: Stack, name: BarFunctionName): Promise<void> {
  const payload = CASES[name].otherTable as Record<string, unknown>;
  expectRefusal(await stack.post(name, payload), 409);
  const own = name === "registry-sync" ? "core_asset_registry_all" : "data_bars";
  expectRefusal(await stack.post(name, { ...payload, table: own, schema: "private" }), 409);
}

async function refuseBodies(stack: Stack, name: BarFunctionName): Promise<void> {
  for (const [path, body] of CASES[name].malformed) {
    const refused = expectRefusal(await stack.post(name, body), 422);
    assert.ok(
      refused.body.issues.some((issue: { path: string[] }) => issue.path.join(".") === path.join(".")),
      `${JSON.stringify(body)}: ${refused.text}`,
    );
    for (const issue of refused.body.issues) assert.deepEqual(Object.keys(issue), ["code", "path", "message"]);
  }
  for (const body of ["", "{", "NaN", "{'env':'prod'}", '{"env":"prod"}{}', new Uint8Array([0x22, 0xff, 0x22])]) {
    const refused = expectRefusal(await stack.send(name, { body }), 422);
    assert.equal(refused.body.issues[0].code, "invalid_json");
  }
}

function expectRefusal(answer: Answer, status: number): Answer {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  assert.equal(typeof answer.body.code, "string");
  assert.equal(typeof answer.body.message, "string");
  for (const secret of [KEYS.secret, ...Object.values(KEYS.named)]) assert.ok(!answer.text.includes(secret));
  assert.doesNotMatch(
    answer.text,
    /\bat .*:\d+:\d+|functions\/|select |sync_agg_state|derive_synthetic|supabase|registry_sync|derive_dxy/,
  );
  return answer;
}
