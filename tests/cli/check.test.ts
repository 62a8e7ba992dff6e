import assert from "node:assert/strict";
import { type CheckRow, describeChecks, worstStatus } from "../../cli/lib/checks.ts";
import { type Cluster, useCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { openEngine } from "../support/engine.ts";
import { ENGINES } from "../support/stack.ts";
import { ownProgram } from "./program.ts";
import { stubCheck } from "./stub_check.ts";

const row = (check: string, status: CheckRow["status"], subject = "*", value = "", hint = ""): CheckRow => ({
  ...{ check, subject, status, value, hint },
});

Deno.test("describeChecks() begins with the verdict, aligns columns, and shows the hint of what is not fine", () => {
  const rows = [
    row("verdict", "FAIL", "*", "14 checks, 1 warn, 1 fail", "never shown"),
    row("bars", "FAIL", "EURUSD 5m", "last bar at 10:00", "See agg_pending()."),
    row("bars", "WARN", "DXY 5m", "late"),
    row("jobs", "WARN", "\x1b[31mpgbars:dispatch", "inactive"),
  ];
  assert.equal(
    describeChecks(rows),
    `\
FAIL: 14 checks, 1 warn, 1 fail

FAIL  bars  EURUSD 5m             last bar at 10:00
      See agg_pending().
WARN  bars  DXY 5m                late
WARN  jobs   [31mpgbars:dispatch  inactive`,
  );
});

Deno.test("describeChecks() shows twenty rows of a check", () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => row("bars", "FAIL", `A${index}`));
  const lines = describeChecks(rows).split("\n");
  assert.equal(lines.length, 2 + 20 + 1);
  assert.equal(lines.at(-1), "      ... and 9980 more of bars");
});

Deno.test("describeChecks() is one line where all is well", () => {
  assert.equal(
    describeChecks([row("verdict", "PASS", "*", "16 checks, 0 warn, 0 fail")]),
    "PASS: 16 checks, 0 warn, 0 fail",
  );
});

Deno.test("worstStatus() is that of the worst row", () => {
  assert.equal(worstStatus([row("a", "PASS"), row("b", "PASS")]), "PASS");
  assert.equal(worstStatus([row("a", "WARN"), row("b", "PASS")]), "WARN");
  assert.equal(worstStatus([row("a", "FAIL"), row("b", "WARN")]), "FAIL");
});

Deno.test("pgbars check over a session ends with 0, 1 and 2 for PASS, WARN and FAIL", async () => {
  await using cluster = await useCluster();
  const { db, url } = await openDatabase(cluster);
  try {
    const program = await ownProgram();
    for (const [code, status] of ["PASS", "WARN", "FAIL"].entries()) {
      await stubCheck(db, status);
      const text = await program.run(["check", "--db", url]);
      assert.equal(text.code, code, text.report);
      assert.ok(text.stdout.startsWith(`${status}: 2 checks\n`), text.report);
      const json = await program.run(["check", "--json"], { env: { DATABASE_URL: url } });
      assert.equal(json.code, code, json.report);
      assert.deepEqual(JSON.parse(json.stdout), {
        status,
        checks: [
          row("verdict", status as "PASS", "*", "2 checks"),
          row("bars", status as "PASS", "EURUSD", "none", "wait"),
        ],
      });
    }
  } finally {
    await db.close();
  }
});

Deno.test("pgbars check prints what agg_check says", async () => {
  await using engine = await openEngine();
  const program = await ownProgram();
  const { code, report, stdout } = await program.run(["check", "--json", "--db", engine.url]);
  const { status, checks } = JSON.parse(stdout);
  const expected = await engine.db.query<CheckRow>("select * from public.agg_check()");
  assert.equal(expected[0]!.check, "verdict");
  const summarize = (rows: CheckRow[]) => rows.map(({ check, subject, status }) => `${check} ${subject} ${status}`);
  assert.deepEqual(summarize(checks), summarize(expected));
  assert.equal(status, worstStatus(expected));
  assert.equal(code, ["PASS", "WARN", "FAIL"].indexOf(status), report);
});

Deno.test("pgbars check ends with 2 where there is no database, and where it has no agg_check", async () => {
  await using cluster = await useCluster();
  const { db, url } = await openDatabase(cluster);
  await db.close();
  const program = await ownProgram();
  const problems: [string[], RegExp][] = [
    [["--db", url], /has no function agg_check/],
    [["--db", "postgresql://postgres@127.0.0.1:1/none"], /Cannot connect/],
    [["--url", `http://127.0.0.1:${closedPort()}`, "--key", "k"], /Cannot reach the Data API at http:.*: .*refused/i],
    [["--url", "http://127.0.0.1:1"], /No key is given/],
    [["--url", "http://127.0.0.1:1", "--db", url], /not both/],
    [[], /No database is given/],
  ];
  for (const [args, message] of problems) {
    const { code, report, stdout } = await program.run(["check", "--json", ...args]);
    assert.equal(code, 2, report);
    assert.match(JSON.parse(stdout).error, message);
  }
});

Deno.test("pgbars check over the Data API sees the same rows, and ends with 2 for a wrong key", async () => {
  await using stack = await ENGINES["PGlite"]!();
  const program = await ownProgram();
  const env = { SUPABASE_URL: `${stack.url}/`, SUPABASE_SERVICE_ROLE_KEY: stack.keys.secret };
  await stack.db.exec("drop function if exists public.agg_check");
  const none = await program.run(["check", "--json"], { env });
  assert.equal(none.code, 2, none.report);
  assert.match(JSON.parse(none.stdout).error, /has no function agg_check/);

  await stubCheck(stack.db, "WARN");
  const { code, report, stdout } = await program.run(["check", "--json"], { env });
  assert.equal(code, 1, report);
  assert.deepEqual(JSON.parse(stdout).checks[1], row("bars", "WARN", "EURUSD", "none", "wait"));
  const wrong = await program.run(["check", "--json"], { env: { ...env, SUPABASE_SERVICE_ROLE_KEY: "wrong" } });
  assert.equal(wrong.code, 2, wrong.report);
  assert.match(JSON.parse(wrong.stdout).error, /status 40\d/);
});

Deno.test("pgbars check --watch checks again, also after a failure, and ends with the last result", async () => {
  await using cluster = await useCluster();
  const { db, url } = await openDatabase(cluster);
  try {
    const program = await ownProgram();
    const child = program.start(["check", "--json", "--watch", "--interval", "0.1", "--db", url]);
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(splitLines()).getReader();
    const readUntil = async (is: (value: { error?: string; status?: string }) => boolean) => {
      for (;;) {
        const { value, done } = await lines.read();
        assert.ok(!done);
        if (is(JSON.parse(value))) return;
      }
    };
    await readUntil(({ error }) => error?.includes("has no function agg_check") ?? false);
    await stubCheck(db, "FAIL");
    await readUntil(({ status }) => status === "FAIL");
    await stubCheck(db, "WARN");
    await readUntil(({ status }) => status === "WARN");
    child.kill("SIGTERM");
    while (!(await lines.read()).done);
    assert.equal((await child.status).code, 1);
  } finally {
    await db.close();
  }
});

async function openDatabase(cluster: Cluster): Promise<{ db: Database; url: string }> {
  const url = await cluster.createDatabase(`pgbars_${crypto.randomUUID()}`);
  return { db: await openServer(url), url };
}

function closedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

function splitLines(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform: (chunk, controller) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
  });
}
