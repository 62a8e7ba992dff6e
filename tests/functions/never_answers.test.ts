import { createClient } from "@supabase/supabase-js";
import assert from "node:assert/strict";
import { answer } from "../../functions/_shared/answer.ts";
import type { Database } from "../../functions/_shared/database.ts";
import { deriveDxy } from "../../functions/derive-dxy/handler.ts";
import { syncRegistry } from "../../functions/registry-sync/handler.ts";

const SHORT_MS = 50;
const LONG_MS = 3_600_000;

/** When the stand-in answers after all, so that a function without a limit fails its test instead of holding it up. */
const PATIENCE_MS = 10_000;
const RANGE = { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z" };
const SERIES = { metadata: { is_synthetic: true, components: [] } };

Deno.test("registry-sync answers 503 when the Data API does not answer", async () => {
  await expectAway(() => undefined, { env: "prod" }, (body, database) => syncRegistry(body, database, SHORT_MS));
});

Deno.test("derive-dxy answers 503 when the Data API does not answer", async (test) => {
  const onlyReads = { read: SHORT_MS, derive: LONG_MS };
  const onlyDerives = { read: LONG_MS, derive: SHORT_MS };
  const cases: [string, unknown, typeof onlyReads, string[]][] = [
    ["what the series is", RANGE, onlyReads, []],
    ["where its task is", {}, onlyReads, ["core_asset_registry_all"]],
    ["what it derived", RANGE, onlyDerives, ["core_asset_registry_all"]],
  ];
  for (const [question, body, limits, answered] of cases) {
    await test.step(`when asked ${question}`, () =>
      expectAway(
        (table) => answered.includes(table) ? Response.json(SERIES) : undefined,
        body,
        (read, database) => deriveDxy(read, database, new Date(), limits),
      ));
  }
});

/** What a Data API answers when it is asked for a table or function; undefined: nothing. */
type Answers = (name: string) => Response | undefined;

async function expectAway(
  answers: Answers,
  body: unknown,
  handle: (body: unknown, database: Database) => Promise<unknown>,
): Promise<void> {
  await using server = serve(answers);
  const database = createClient(`http://127.0.0.1:${server.port}`, "key", { auth: { persistSession: false } });
  const headers = { "content-type": "application/json" };
  const request = new Request("http://localhost/", { method: "POST", headers, body: JSON.stringify(body) });
  const response = await answer(request, (read) => handle(read, database));
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "10");
  assert.equal((await response.json()).code, "database_away");
}

function serve(answers: Answers) {
  const end = Promise.withResolvers<Response>();
  const patience = setTimeout(() => end.resolve(Response.json({})), PATIENCE_MS);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const name = new URL(request.url).pathname.split("/").at(-1)!;
    return answers(name) ?? end.promise;
  });
  return {
    port: server.addr.port,
    async [Symbol.asyncDispose]() {
      clearTimeout(patience);
      end.resolve(new Response());
      await server.shutdown();
    },
  };
}
