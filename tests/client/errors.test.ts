import assert from "node:assert/strict";
import { type Pgbars, PgbarsError } from "../../client/mod.ts";
import { ENGINES } from "../support/stack.ts";
import { connect } from "./connection.ts";
import { storeMinutes } from "./stored.ts";

const WINDOW = { from: "2025-07-01T00:00:00Z", to: "2025-07-01T01:00:00Z" };
const BAR = { canonical_symbol: "EURUSD", ts_utc: WINDOW.from, open: 1, high: 1, low: 1, close: 1 };

/** Every call, by its name. */
const CALLS: Record<string, (pgbars: Pgbars) => Promise<unknown>> = {
  fetchBars: (pgbars) => pgbars.fetchBars({ symbols: ["EURUSD"], timeframe: "5m", ...WINDOW }),
  fetch1mBars: (pgbars) => pgbars.fetch1mBars({ symbols: ["EURUSD"], ...WINDOW }),
  deriveDxyForWindow: (pgbars) => pgbars.deriveDxyForWindow(WINDOW.from, WINDOW.to),
  syncRegistry: (pgbars) => pgbars.syncRegistry(),
  upsertBars: (pgbars) => pgbars.upsertBars([BAR]),
};

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`every call throws a PgbarsError without the right to it (${engine})`, async (test) => {
    await using stack = await openStack();
    const { url, keys, db } = stack;
    await storeMinutes(db, "EURUSD", WINDOW.from, 3);

    await test.step("with a wrong key", async () => {
      await expectEach(connect(url, "sb_secret_wrong"), { status: 401, says: /The key or token is wrong/ });
    });

    await test.step("with the publishable key", async () => {
      await expectEach(connect(url, keys.publishable), { code: "42501", says: /grant_read_access/ });
    });

    await test.step("as a signed-in user, who may read when bars are opened to users", async () => {
      const user = connect(url, keys.publishable, { userToken: await stack.userToken() });
      await expectEach(user, { code: "42501", says: /grant_read_access/ });
      await db.exec("select public.grant_read_access('authenticated')");
      assert.equal((await user.fetch1mBars({ symbols: ["EURUSD"], ...WINDOW })).length, 3);
      for (const name of ["deriveDxyForWindow", "syncRegistry", "upsertBars"]) {
        await expect(name, user, { code: "42501", says: /secret key/ });
      }
    });
  });
}

Deno.test("every call throws a PgbarsError when the database is away", async () => {
  await using api = answerAlways(() =>
    Response.json({ code: "PGRST001", message: "Database client error", details: null, hint: "wait" }, {
      status: 503,
      headers: { "Retry-After": "0" },
    })
  );
  await expectEach(connect(api.url, "key"), { status: 503, code: "PGRST001", says: /may be repeated/ });
});

Deno.test("a call throws a PgbarsError when no answer comes", async () => {
  const api = answerAlways(() => new Response());
  await api[Symbol.asyncDispose]();
  await expect("syncRegistry", connect(api.url, "key"), { status: 0, says: /check the URL and the network/ });
});

Deno.test("every call throws a PgbarsError when the migrations are not there", async () => {
  const missing = { code: "PGRST202", message: "Could not find the function", details: "Searched", hint: null };
  await using api = answerAlways(() => Response.json(missing, { status: 404 }));
  await expectEach(connect(api.url, "key"), { status: 404, code: "PGRST202", says: /apply the migrations/ });
});

Deno.test("every call throws a PgbarsError when the answer is empty or of an unknown shape", async () => {
  await using nothing = answerAlways(() => new Response("null"));
  await expectEach(connect(nothing.url, "key"), { says: /the answer is empty/ });
  await using nonsense = answerAlways(() => Response.json({ inserted: "5" }));
  await expectEach(connect(nonsense.url, "key"), {
    says: /(lacks the counts inserted|lacks the text env|it is not a list).*same version/,
  });
});

Deno.test("a PgbarsError says what to do about a failure", async (test) => {
  const cases: [number, string, RegExp | null][] = [
    [404, "", /apply the migrations/],
    [400, "PGRST200", /apply the migrations/],
    [400, "PGRST205", /apply the migrations/],
    [400, "42883", /apply the migrations/],
    [400, "42P01", /apply the migrations/],
    [400, "42703", /apply the migrations/],
    [403, "", /grant_read_access/],
    [401, "PGRST301", /key or token is wrong/],
    [401, "42501", /grant_read_access/],
    [400, "53300", /may be repeated/],
    [400, "40P01", /may be repeated/],
    [409, "23505", /may be repeated/],
    [500, "58030", /may be repeated/],
    [502, "", /may be repeated/],
    [500, "P0002", null],
    [500, "", null],
    [400, "22023", null],
  ];
  for (const [status, code, says] of cases) {
    await test.step(`${status} ${code}`, async () => {
      await using api = answerAlways(() => Response.json({ code, message: "said" }, { status }));
      const { message } = await expect("syncRegistry", connect(api.url, "key"), { status, code, says: /said/ });
      const [, advice] = message.split("\n");
      if (says === null) assert.equal(advice, undefined);
      else assert.match(advice!, says);
    });
  }
});

Deno.test("a PgbarsError carries what the database said", async () => {
  const said = { code: "57014", message: "canceling statement", details: "after 8 s", hint: "less" };
  await using api = answerAlways(() => Response.json(said, { status: 500 }));
  const error = await expect("deriveDxyForWindow", connect(api.url, "key"), { says: /ask for less at a time/ });
  assert.deepEqual([error.code, error.details, error.hint, error.status], ["57014", "after 8 s", "less", 500]);
  assert.equal(error.soFar, undefined);
});

interface Expectation {
  status?: number;
  code?: string;
  says: RegExp;
}

async function expectEach(pgbars: Pgbars, expected: Expectation): Promise<void> {
  for (const name of Object.keys(CALLS)) await expect(name, pgbars, expected);
}

async function expect(name: string, pgbars: Pgbars, { status, code, says }: Expectation): Promise<PgbarsError> {
  const outcome: unknown = await CALLS[name]!(pgbars).catch((error: unknown) => error);
  assert.ok(outcome instanceof PgbarsError, `${name} gave ${outcome}`);
  assert.ok(outcome.message.startsWith(`${name} failed (`), outcome.message);
  assert.match(outcome.message, says);
  if (status !== undefined) assert.equal(outcome.status, status);
  if (code !== undefined) assert.equal(outcome.code, code);
  return outcome;
}

function answerAlways(answer: () => Response): { url: string; [Symbol.asyncDispose](): Promise<void> } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}
