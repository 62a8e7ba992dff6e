import assert from "node:assert/strict";
import { run } from "../../scripts/lib/process.ts";
import { runDue } from "../support/dispatch.ts";
import { PAIRS } from "../support/pairs.ts";
import { ENGINES, type Stack } from "../support/stack.ts";
import { readStored, storeMinutes } from "./stored.ts";

const FOLDER = "client/examples";
const START = "2025-09-03T12:00:00.000Z";

/** How to run a file; Node is the first version that reads TypeScript as it is, whatever version the machine has. */
const RUNTIMES: Record<string, string[]> = {
  Deno: [Deno.execPath(), "run", "--quiet", "--no-check", "--allow-env", "--allow-net"],
  Node: ["npx", "--yes", "--prefer-offline", "node@22.18.0"],
};

for (const [runtime, command] of Object.entries(RUNTIMES)) {
  Deno.test(`the examples print what they do (${runtime})`, async (test) => {
    await using stack = await ENGINES["PGlite"]!();
    const { db } = stack;
    await db.query("insert into public.core_asset_registry_all (canonical_symbol, active) values ('EURUSD', true)");
    for (const symbol of PAIRS) await storeMinutes(db, symbol, START, 30);
    await db.query("delete from public.data_bars where canonical_symbol = 'USDSEK' and ts_utc = '2025-09-03 12:07+00'");

    await test.step("store_bars.ts", async () => {
      const lines = ["1 inserted, 0 updated, 0 unchanged", "row 1: data_bars_high_covers"];
      assert.deepEqual(await runExample(stack, command, "store_bars.ts"), lines);
    });

    await test.step("derive_dxy.ts", async () => {
      const lines = ["29 inserted, 0 updated, 1 without all six pairs"];
      assert.deepEqual(await runExample(stack, command, "derive_dxy.ts"), lines);
    });

    await test.step("read_bars.ts", async () => {
      await runDue(db, new Date("2025-09-03T12:40Z"));
      const expected: string[] = [];
      for (const symbol of ["EURUSD", "DXY"]) {
        const bars = await readStored(db, { symbol, timeframe: "5m", from: START, to: "2025-09-03T12:30:00Z" });
        expected.push(
          ...bars.map(({ ts_utc, close, quality_score }) =>
            `${symbol} ${ts_utc.toISOString()} ${close} ${quality_score}`
          ),
        );
      }
      assert.equal(expected.length, 12);
      assert.deepEqual(await runExample(stack, command, "read_bars.ts"), expected);
    });
  });
}

Deno.test("docs/client.md shows every example as it is, and no other TypeScript", async () => {
  const page = await Deno.readTextFile("docs/client.md");
  const shown = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
  const examples: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) examples.push(await Deno.readTextFile(`${FOLDER}/${name}`));
  assert.deepEqual(shown.sort(), examples.sort());
});

/** The lines that an example prints on standard output. */
async function runExample({ url, keys }: Stack, command: string[], file: string): Promise<string[]> {
  const [program, ...args] = [...command, `${FOLDER}/${file}`];
  const { code, stdout, report } = await run(program!, args, {
    env: { SUPABASE_URL: url, SUPABASE_SECRET_KEY: keys.secret },
  });
  assert.equal(code, 0, report);
  return stdout.trim().split("\n");
}
