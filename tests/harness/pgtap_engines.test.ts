import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { formatCounts } from "../../scripts/lib/result.ts";
import { withServer } from "../../scripts/test/context.ts";
import { pgtapSetup } from "../../scripts/test/pgtap.ts";
import { openWithPgtap, runPgtapText } from "../../scripts/test/pgtap_embedded.ts";
import { prove } from "../../scripts/test/pgtap_server.ts";

const cases: { behaviour: string; body: string; expected: string }[] = [
  {
    behaviour: "passes",
    body: "select plan(2); select pass('a'); select ok(true, 'b');",
    expected: "2 passed, 0 failed",
  },
  {
    behaviour: "fails",
    body: "select plan(2); select pass('a'); select is(1, 2, 'b');",
    expected: "1 passed, 1 failed",
  },
  { behaviour: "runs too little", body: "select plan(2); select pass('a');", expected: "1 passed, 1 failed" },
  {
    behaviour: "runs too much",
    body: "select plan(1); select pass('a'); select pass('b');",
    expected: "2 passed, 1 failed",
  },
  {
    behaviour: "stops at an SQL error",
    body: "select plan(2); select pass('a'); select 1 / 0; select pass('b');",
    expected: "1 passed, 1 failed",
  },
  {
    behaviour: "meets an SQL error after its last assertion",
    body: "select plan(1); select pass('a'); select 1 / 0;",
    expected: "1 passed, 1 failed",
  },
  { behaviour: "runs nothing", body: "select 1;", expected: "0 passed, 1 failed" },
  {
    behaviour: "skips and has to do",
    body: `select plan(3); select skip('not here', 1); select todo('later', 1); select fail('b'); select pass('c');`,
    expected: "1 passed, 0 failed, 2 skipped",
  },
  {
    behaviour: "bails out",
    body: "select plan(2); select pass('a'); select 'Bail out! gone'; select pass('b');",
    expected: "1 passed, 1 failed",
  },
  {
    behaviour: "finds pgTAP without naming its schema",
    body: "select plan(1); select is(to_regproc('results_eq')::text, null, 'overloaded, so not one function');",
    expected: "1 passed, 0 failed",
  },
];

const wrap = (body: string) => `begin;\n${body}\nselect * from finish();\nrollback;\n`;

Deno.test("pgTAP files count the same on the embedded Postgres", async (t) => {
  const db = await openWithPgtap();
  try {
    for (const { behaviour, body, expected } of cases) {
      await t.step(`a file that ${behaviour}: ${expected}`, async () => {
        const result = await runPgtapText(db, "case.sql", wrap(body));
        assert.equal(formatCounts(result), expected, result.output);
      });
    }
    await t.step("a file that leaves its transaction open fails, and the next one starts afresh", async () => {
      const open = await runPgtapText(
        db,
        "open.sql",
        "begin; create table left_over (); select plan(1); select pass();",
      );
      assert.equal(formatCounts(open), "1 passed, 1 failed", open.output);
      const next = await runPgtapText(db, "next.sql", wrap("select plan(1); select hasnt_table('left_over');"));
      assert.equal(formatCounts(next), "1 passed, 0 failed", next.output);
    });
  } finally {
    await db.close();
  }
});

Deno.test("pgTAP files count the same through pg_prove", async (t) => {
  await using cluster = await useCluster();
  const database = "harness_pgtap";
  await withServer(await cluster.createDatabase(database), (db) => db.exec(pgtapSetup(database)));
  for (const { behaviour, body, expected } of cases) {
    await t.step(`a file that ${behaviour}: ${expected}`, async () => {
      const file = await Deno.makeTempFile({ suffix: ".sql" });
      try {
        await Deno.writeTextFile(file, wrap(body));
        const result = await prove(cluster, database, [file]);
        assert.equal(formatCounts(result), expected, result.output);
      } finally {
        await Deno.remove(file);
      }
    });
  }
});
