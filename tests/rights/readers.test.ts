import assert from "node:assert/strict";
import type { Database } from "../../scripts/lib/database.ts";
import { fingerprint } from "../functions/fingerprint.ts";
import { ENGINES } from "../support/stack.ts";
import { attempt, everyAttempt, notRefused } from "./attempts.ts";

const READS = [
  ...["data_bars", "derived_data_bars", "derived_data_bars_revision"].flatMap((table) => [
    `select ${table}: 200`,
    `select one column of ${table}: 200`,
    `count ${table}: 200`,
  ]),
  // Called with nulls.
  "call agg_bar_versions: 200",
  "call agg_changes: [null, infinity) is not a range of time",
  "call get_bars: p_symbols must be an array of symbols, not null",
];

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`what anon and authenticated may do over the Data API (${engine})`, async (test) => {
    await using stack = await openStack();
    const { db, keys } = stack;
    const anon = { key: keys.publishable };
    const user = { key: keys.publishable, token: await stack.userToken() };
    await storeBars(db);
    const attempts = await everyAttempt(db);
    assert.ok(attempts.filter(({ name }) => name.startsWith("call ")).length >= 20);
    assert.ok(attempts.filter(({ name }) => name.startsWith("select ")).length >= 8);
    const before = await fingerprint(db);
    const barsOf = async (table: string) =>
      (await attempt(stack, user, { method: "GET", path: table })).body.map(readSymbol).sort();

    await test.step("by default nothing: no table, no view, no function", async () => {
      assert.deepEqual(await notRefused(stack, anon, attempts), []);
      assert.deepEqual(await notRefused(stack, user, attempts), []);
    });

    await test.step("a table and a function that somebody opens are noticed", async () => {
      await db.exec(`
        create view public.bad_view as select b.canonical_symbol from public.data_bars as b;
        create function public.bad_function(p_id integer, p_name text default '') returns integer language sql as 'select 1';
        grant select on public.bad_view to anon;
      `);
      assert.deepEqual(await notRefused(stack, anon, await everyAttempt(db)), [
        "select bad_view: 200",
        "select one column of bad_view: 200",
        "count bad_view: 200",
        "call bad_function: 200",
      ]);
      await db.exec("drop view public.bad_view; drop function public.bad_function");
    });

    await test.step("after grant_read_access('authenticated') a user reads bars, and does nothing else", async () => {
      await db.query("select public.grant_read_access('authenticated')");
      assert.deepEqual(await notRefused(stack, user, attempts), READS);
      assert.deepEqual(await notRefused(stack, anon, attempts), []);
    });

    await test.step("these are all bars of data_bars, and those of derived_data_bars that are not deleted", async () => {
      assert.deepEqual(await barsOf("data_bars"), ["EURUSD", "XAUUSD"]);
      assert.deepEqual(await barsOf("derived_data_bars"), ["EURUSD", "XAUUSD"]);
      assert.deepEqual(await barsOf("derived_data_bars?deleted_at=not.is.null"), []);
    });

    // The Data API has shown that it asks Postgres; the rest is the work of Postgres, whichever engine.
    if (engine === "PGlite") return assert.deepEqual(await fingerprint(db), before);

    await test.step("revoke_read_access('authenticated') closes them", async () => {
      await db.query("select public.revoke_read_access('authenticated')");
      assert.deepEqual(await notRefused(stack, user, attempts), []);
    });

    await test.step("grant_read_access('anon') opens bars to whoever has the publishable key, until it is revoked", async () => {
      await db.query("select public.grant_read_access('anon')");
      assert.deepEqual(await notRefused(stack, anon, attempts), READS);
      assert.deepEqual(await notRefused(stack, user, attempts), []);
      await db.query("select public.revoke_read_access('anon')");
      assert.deepEqual(await notRefused(stack, anon, attempts), []);
    });

    await test.step("the policy in docs/operations.md opens the bars that it names, and no others", async () => {
      await db.exec(await readPolicyRecipe());
      assert.deepEqual(await notRefused(stack, user, attempts), READS);
      assert.deepEqual(await barsOf("data_bars"), ["EURUSD"]);
      assert.deepEqual(await barsOf("derived_data_bars"), ["EURUSD"]);
      assert.deepEqual(await notRefused(stack, anon, attempts), []);
    });

    assert.deepEqual(await fingerprint(db), before);
  });
}

/** A 1m bar of two assets, and a 5m bar of them and of a third one whose bar is deleted. */
async function storeBars(db: Database): Promise<void> {
  await db.exec(`
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
    select s.symbol, '2025-07-01 00:00+00', 1, 1, 1, 1 from unnest(array['EURUSD', 'XAUUSD']) as s (symbol);
    insert into public.derived_data_bars (
      canonical_symbol, timeframe, ts_utc, open, high, low, close, source_timeframe, source_candles, expected_candles,
      covered_minutes, expected_minutes, quality_score, deleted_at
    )
    select s.symbol, '5m', '2025-07-01 00:00+00', 1, 1, 1, 1, '1m', 5, 5, 5, 5, 2, s.deleted_at
    from (values ('EURUSD', null), ('XAUUSD', null), ('USDJPY', timestamptz '2025-07-02 00:00+00')) as s (symbol, deleted_at);
  `);
}

async function readPolicyRecipe(): Promise<string> {
  const page = await Deno.readTextFile(new URL("../../docs/operations.md", import.meta.url));
  const recipes = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql!);
  const recipe = recipes.find((sql) => sql.includes("create policy"));
  assert.ok(recipe);
  return recipe;
}

function readSymbol(row: { canonical_symbol: string }): string {
  return row.canonical_symbol;
}
