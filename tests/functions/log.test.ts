import assert from "node:assert/strict";
import deriveDxy from "../../functions/derive-dxy/index.ts";
import registrySync from "../../functions/registry-sync/index.ts";
import { KEYS } from "../../scripts/lib/stack/keys.ts";

const FUNCTIONS = [
  { fetch: registrySync.fetch, key: KEYS.named.registry_sync, body: { env: "prod" } },
  { fetch: deriveDxy.fetch, key: KEYS.named.derive_dxy, body: {} },
];
const ALL_KEYS = [KEYS.publishable, KEYS.secret, ...Object.values(KEYS.named)];
const SAID = { code: "42883", message: "what the database said", details: "more of it", hint: null };

Deno.test("the log says why a function failed, and has no key in it", async () => {
  await using api = serveAlways(() => Response.json(SAID, { status: 404 }));
  for (const { fetch, key, body } of FUNCTIONS) {
    const { status, log } = await logged(settings(api.url), () => fetch(post(key, body)));
    assert.equal(status, 500);
    assert.match(log, /42883: what the database said/);
    assertNoKey(log);
  }
});

Deno.test("the log says what is wrong with a function's settings, and the answer does not", async () => {
  const env = { ...settings("http://127.0.0.1:1"), SUPABASE_URL: "" };
  for (const { fetch, key, body } of FUNCTIONS) {
    const { status, answer, log } = await logged(env, () => fetch(post(key, body)));
    assert.deepEqual([status, Object.keys(answer), answer.code], [500, ["code", "message"], "internal"]);
    assert.match(log, /SUPABASE_URL is required/);
    assert.doesNotMatch(answer.message, /SUPABASE/);
    assertNoKey(log);
  }
});

Deno.test("what is refused is not logged", async () => {
  for (const { fetch, key, body } of FUNCTIONS) {
    for (const request of [post("sb_secret_wrong", body), post(key, []), new Request("http://localhost/")]) {
      const { status, log } = await logged(settings("http://127.0.0.1:1"), () => fetch(request));
      assert.ok([401, 422].includes(status));
      assert.equal(log, "");
    }
  }
});

function settings(url: string): Record<string, string> {
  return {
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: KEYS.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: KEYS.secret, ...KEYS.named }),
  };
}

/** What a function answers with these environment variables, and everything that it prints meanwhile. */
async function logged(env: Record<string, string>, call: () => Promise<Response>) {
  const printed: string[] = [];
  using replaced = new DisposableStack();
  for (const name of ["debug", "info", "log", "warn", "error"] as const) {
    const original = console[name];
    console[name] = (...values: unknown[]) => void printed.push(...values.map((value) => Deno.inspect(value)));
    replaced.defer(() => console[name] = original);
  }
  for (const [name, value] of Object.entries(env)) {
    const original = Deno.env.get(name);
    Deno.env.set(name, value);
    replaced.defer(() => original === undefined ? Deno.env.delete(name) : Deno.env.set(name, original));
  }
  const response = await call();
  return { status: response.status, answer: await response.json(), log: printed.join("\n") };
}

function post(apikey: string, body: unknown): Request {
  const headers = { apikey, "content-type": "application/json" };
  return new Request("http://localhost/", { method: "POST", headers, body: JSON.stringify(body) });
}

function assertNoKey(log: string): void {
  for (const key of ALL_KEYS) assert.ok(!log.includes(key), log);
}

function serveAlways(answer: () => Response): { url: string; [Symbol.asyncDispose](): Promise<void> } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}
