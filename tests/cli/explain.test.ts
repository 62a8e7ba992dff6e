import assert from "node:assert/strict";
import { runDue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";
import { ENGINES } from "../support/stack.ts";
import { ownProgram } from "./program.ts";

const STORE = `
  insert into public.core_asset_registry_all (canonical_symbol, active) values ('ACME', true);
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
  select 'ACME', timestamptz '2025-07-01 10:00+00' + m * interval '1 minute', m, m, m, m
  from generate_series(0, 29) as m where m not in (6, 11, 12, 13)
`;

Deno.test("pgbars explain prints the rows of agg_explain", async () => {
  await using engine = await openEngine();
  await engine.db.exec(STORE);
  await runDue(engine.db, new Date("2025-07-01T10:36Z"));
  const program = await ownProgram();
  const run = (...args: string[]) => program.run(["explain", ...args], { env: { DATABASE_URL: engine.url } });

  const missing = await run("ACME", "5m", "2025-07-01T12:13:00+02:00");
  assert.equal(missing.code, 0, missing.report);
  assert.match(
    missing.stdout,
    /^window {3}2025-07-01 10:10:00\+00 to 2025-07-01 10:15:00\+00\nstate {4}no bar\nwhy {6}its minutes are too few: 2 of 5/,
  );
  assert.match(missing.stdout, /\nmissing {2}2025-07-01 10:11 to 10:13 \(3\)\n/);
  const bar = await run("ACME", "5m", "2025-07-01T10:05Z", "--json");
  const rows: { item: string; value: string }[] = JSON.parse(bar.stdout);
  assert.deepEqual(rows.slice(0, 2).map(({ value }) => value), [
    "2025-07-01 10:05:00+00 to 2025-07-01 10:10:00+00",
    "bar",
  ]);

  const unknown = await run("ACME", "7m", "2025-07-01T10:05Z", "--json");
  assert.equal(unknown.code, 2, unknown.report);
  assert.match(
    JSON.parse(unknown.stdout).error,
    /agg_explain\(\) failed: agg_explain needs a symbol, a timeframe.*\nTimeframes are 1m, 5m/,
  );
  for (const args of [["ACME", "5m"], ["ACME", "5m", "2025-07-01T10:05"], ["ACME", "5m", "soon"]]) {
    assert.equal((await run(...args)).code, 2);
  }
});

Deno.test("pgbars explain asks the Data API", async () => {
  await using stack = await ENGINES["PGlite"]!();
  await stack.db.exec(STORE);
  const program = await ownProgram();
  const env = { SUPABASE_URL: stack.url, SUPABASE_SERVICE_ROLE_KEY: stack.keys.secret };
  const { code, stdout, report } = await program.run(["explain", "ACME", "5m", "2025-07-01T10:00Z"], { env });
  assert.equal(code, 0, report);
  assert.match(stdout, /^window .*\nstate +not decided\n/);
});
