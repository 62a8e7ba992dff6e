import assert from "node:assert/strict";
import { type PostgresVersion, startCluster } from "../../scripts/lib/cluster.ts";
import { formatCounts } from "../../scripts/lib/result.ts";
import { runPgtapText } from "../../scripts/test/pgtap.ts";
import { openEmbeddedSession, openServerSession, type PgtapSession } from "../../scripts/test/pgtap_session.ts";

/** What may differ between drivers; tap.test.ts has the other ways for a file to fail. */
const cases: { behaviour: string; body: string; expected: string }[] = [
  {
    behaviour: "passes and fails",
    body: "select plan(2); select pass('a'); select is(1, 2, 'b');",
    expected: "1 passed, 1 failed",
  },
  {
    behaviour: "stops at an SQL error",
    body: "select plan(2); select pass('a'); select 1 / 0; select pass('b');",
    expected: "1 passed, 1 failed",
  },
  {
    behaviour: "has an SQL error after its last assertion",
    body: "select plan(1); select pass('a'); select 1 / 0;",
    expected: "1 passed, 1 failed",
  },
  {
    behaviour: "skips and has to do",
    body: `select plan(3); select skip('not here', 1); select todo('later', 1); select fail('b'); select pass('c');`,
    expected: "1 passed, 0 failed, 2 skipped",
  },
  { behaviour: "runs nothing", body: "select 1;", expected: "0 passed, 1 failed" },
];

const wrap = (body: string) => `begin;\n${body}\nselect * from finish();\nrollback;\n`;

async function openServer(version: PostgresVersion) {
  const cluster = await startCluster({ version });
  const session = await openServerSession(await cluster.createDatabase("harness"));
  const close = async () => {
    await session.close();
    await cluster.stop();
  };
  return { ...session, close };
}

const engines: Record<string, () => Promise<PgtapSession>> = {
  "the embedded Postgres": openEmbeddedSession,
  "Postgres 15": () => openServer(15),
  "Postgres 17": () => openServer(17),
};

for (const [engine, open] of Object.entries(engines)) {
  Deno.test(`runPgtapText() counts alike on ${engine}`, async (t) => {
    const session = await open();
    try {
      for (const { behaviour, body, expected } of cases) {
        await t.step(`a file that ${behaviour}: ${expected}`, async () => {
          const result = await runPgtapText(session, "case.sql", wrap(body));
          assert.equal(formatCounts(result), expected, result.output);
        });
      }
      await t.step("a file that leaves its transaction open fails, and the next one starts afresh", async () => {
        const text = "begin; create table left_over (); select plan(1); select pass(); set search_path = ''";
        const open = await runPgtapText(session, "open.sql", text);
        assert.equal(formatCounts(open), "1 passed, 1 failed", open.output);
        assert.match(open.output, /left its transaction open/);
        const next = await runPgtapText(session, "next.sql", wrap("select plan(1); select hasnt_table('left_over');"));
        assert.equal(formatCounts(next), "1 passed, 0 failed", next.output);
      });
      await t.step("an error is shown with its line", async () => {
        const { output } = await runPgtapText(session, "error.sql", "begin;\nselect plan(1);\nselect no_such_column;");
        assert.match(output, /!! ERROR 42703: .*no_such_column.*\nLINE 3$/m);
      });
    } finally {
      await session.close();
    }
  });
}
