import assert from "node:assert/strict";
import { DatabaseError, unwrap } from "../../functions/_shared/database.ts";
import { Refusal } from "../../functions/_shared/refusal.ts";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { openServerBackend } from "../../scripts/lib/stack/backend.ts";
import { openStack } from "../../scripts/lib/stack/stack.ts";
import { type FunctionClient, functionClient, type FunctionName } from "../support/function_client.ts";
import { ENGINES } from "../support/stack.ts";
import { serveFunctionsOver } from "./stand_in.ts";

const BODIES: [FunctionName, unknown][] = [
  ["registry-sync", { env: "prod" }],
  ["derive-dxy", { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z" }],
  ["derive-dxy", {}],
];

Deno.test("the functions answer 503 with Retry-After when the Data API cannot be reached", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const env = { SUPABASE_URL: `http://127.0.0.1:${listener.addr.port}` };
  listener.close();
  await using functions = await serveFunctionsOver(() => new Response(), env);
  await expectEach(functions, 503, "database_away");
});

Deno.test("the functions answer 503 with Retry-After when the Data API has no database, after asking it once", async () => {
  let asked = 0;
  await using functions = await serveFunctionsOver(() => {
    asked++;
    return Response.json({ code: "PGRST001", message: "Database client error", details: "at 10.0.0.1", hint: null }, {
      status: 503,
    });
  });
  await expectEach(functions, 503, "database_away");
  assert.equal(asked, BODIES.length);
});

Deno.test("the functions answer 503 with Retry-After when the server of the database is stopped", async () => {
  await using cluster = await startCluster();
  const backend = await openServerBackend(cluster.url());
  await migrate(backend.db);
  {
    await using stack = await openStack(backend);
    const functions = functionClient(stack.url);
    for (const [name, body] of BODIES) assert.equal((await functions.post(name, body)).status, 200);
    await cluster.stop();
    await expectEach(functions, 503, "database_away");
  }
  await backend.close();
});

Deno.test("the functions answer 503 with Retry-After when the embedded database is closed", async () => {
  await using stack = await ENGINES["PGlite"]!();
  for (const [name, body] of BODIES) assert.equal((await stack.post(name, body)).status, 200);
  await stack.db.close();
  await expectEach(stack, 503, "database_away");
});

Deno.test("the functions keep what the database says about a failure to themselves", async () => {
  const said = {
    code: "42883",
    message: "select secret_of_the_database",
    details: "secret_of_the_database",
    hint: null,
  };
  await using functions = await serveFunctionsOver(() => Response.json(said, { status: 404 }));
  await expectEach(functions, 500, "internal");
});

Deno.test("the functions answer 500 as JSON when the Data API answers nonsense", async () => {
  await using functions = await serveFunctionsOver(() => Response.json({ inserted: "secret_of_the_database" }));
  await expectEach(functions, 500, "internal", BODIES.slice(0, 1));
});

Deno.test("unwrap() answers 503 for a failure that may pass, and fails for any other", () => {
  for (const code of ["08006", "53300", "57014", "57P01", "57P03", "58030", "40001", "40P01", "55P03", "23505"]) {
    assert.throws(() => unwrap(failure(code, 400)), (error) => error instanceof Refusal && error.status === 503, code);
  }
  for (const status of [0, 502, 503, 504, 522]) {
    assert.throws(() => unwrap(failure("", status)), (error) => error instanceof Refusal && error.status === 503);
  }
  for (
    const [code, status] of [["22023", 400], ["42501", 403], ["XX000", 500], ["PGRST202", 404], ["", 500]] as const
  ) {
    assert.throws(() => unwrap(failure(code, status)), DatabaseError, code);
  }
});

function failure(code: string, status: number) {
  const error = Object.assign(new Error("refused"), { code, details: "", hint: "", toJSON: () => ({}) });
  return { data: null, count: null, status, statusText: "", success: false, error } as unknown as Parameters<
    typeof unwrap
  >[0];
}

async function expectEach(functions: FunctionClient, status: number, code: string, bodies = BODIES): Promise<void> {
  for (const [name, body] of bodies) {
    const answer = await functions.post(name, body);
    assert.equal(answer.status, status, answer.text);
    assert.deepEqual(Object.keys(answer.body), ["code", "message"]);
    assert.equal(answer.body.code, code);
    assert.equal(answer.headers.get("retry-after"), status === 503 ? "10" : null);
    assert.doesNotMatch(answer.text, /secret|10\.0\.0\.1|PGRST|select|127\.0\.0\.1/);
  }
}
