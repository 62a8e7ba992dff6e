import assert from "node:assert/strict";
import { type Cluster, useCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { LATER, LATER_SQL, laterProgram, ownProgram, RELEASES } from "./program.ts";

/** Functions in place of those of a move, with the same columns and results. */
const STUBS = `
  drop function if exists public.move_status, public.undo_move, public.finish_move;
  create function public.move_status() returns table (subject text, outcome text, rows bigint, explanation text) language sql as $$
    values ('data_bars', 'taken over', 46000, null), ('data_bars', 'stayed', 2, 'break a check'),
      ('undo_move()', 'may run', null, 'until finish_move()') $$;
  create function public.undo_move(p_keep_minutes boolean default true) returns jsonb language sql as $$
    select jsonb_build_object('success', true, 'kept', p_keep_minutes) $$;
  create function public.finish_move(p_despite_checks boolean) returns jsonb language plpgsql as $$ begin
    raise 'the move cannot be finished: a check fails' using errcode = 'object_not_in_prerequisite_state', hint = 'Look at it.';
  end $$;`;

const ROWS = [
  { subject: "data_bars", outcome: "taken over", rows: 46000, explanation: null },
  { subject: "data_bars", outcome: "stayed", rows: 2, explanation: "break a check" },
  { subject: "undo_move()", outcome: "may run", rows: null, explanation: "until finish_move()" },
];

Deno.test("pgbars move applies what is missing in one transaction and prints what went where; a dry run rolls it back", async () => {
  await using cluster = await useCluster();
  const { db, url } = await openDatabase(cluster);
  try {
    await using later = await laterProgram(
      `${LATER_SQL} ${STUBS} do $$ begin raise notice 'needs up to 12 MB more on disk'; end $$;`,
    );
    const run = async (args: string[]) => {
      const { code, report, stdout, stderr } = await later.run(["move", "--db", url, ...args]);
      assert.equal(code, 0, report);
      return { stdout, stderr };
    };
    const dry = await run(["--dry-run", "--json"]);
    const applied = [...RELEASES, LATER];
    assert.deepEqual(JSON.parse(dry.stdout), { version: LATER, dryRun: true, from: null, applied, rows: ROWS });
    assert.match(dry.stderr, /^NOTICE: needs up to 12 MB more on disk$/m);
    assert.deepEqual(await readSchemas(db), []);

    const { stdout } = await run([]);
    assert.equal(
      stdout,
      `\
The database has pgbars ${LATER} now.

what         outcome     rows   explanation
data_bars    taken over  46000
data_bars    stayed      2      break a check
undo_move()  may run            until finish_move()
`,
    );
    assert.deepEqual(await readSchemas(db), ["agg", "pgbars_releases"]);
    assert.deepEqual(JSON.parse((await run(["--json"])).stdout).applied, []);
  } finally {
    await db.close();
  }
});

Deno.test("pgbars move that fails leaves the database as it was, and ends with 2", async () => {
  await using cluster = await useCluster();
  const { db, url } = await openDatabase(cluster);
  try {
    await using broken = await laterProgram(`${LATER_SQL} select 1 / 0;`);
    const { code, report } = await broken.run(["move", "--db", url]);
    assert.equal(code, 2, report);
    assert.match(report, /failed and was rolled back: division by zero/);
    assert.deepEqual(await readSchemas(db), []);
  } finally {
    await db.close();
  }
});

Deno.test("pgbars status, undo-move and finish-move call the database; what it refuses ends with 1", async () => {
  await using cluster = await useCluster();
  const { db, url } = await openDatabase(cluster);
  try {
    await migrate(db);
    await db.exec(STUBS);
    const program = await ownProgram();
    const status = await program.run(["status", "--db", url, "--json"]);
    assert.equal(status.code, 0, status.report);
    assert.deepEqual(JSON.parse(status.stdout), ROWS);

    for (const [args, kept] of [[[], true], [["--no-minutes"], false]] as const) {
      const { code, report, stdout } = await program.run(["undo-move", "--yes", "--json", "--db", url, ...args]);
      assert.equal(code, 0, report);
      assert.deepEqual(JSON.parse(stdout), { success: true, kept });
    }
    const finish = await program.run(["finish-move", "--yes", "--json"], { env: { PGBARS_DB: url } });
    assert.equal(finish.code, 1, finish.report);
    assert.deepEqual(JSON.parse(finish.stdout), { error: "the move cannot be finished: a check fails\nLook at it." });

    for (const command of ["undo-move", "finish-move"]) {
      const { code, report } = await program.run([command, "--db", url], { input: "n\n" });
      assert.equal(code, 1, report);
      assert.match(report, /Nothing was changed/);
    }
  } finally {
    await db.close();
  }
});

Deno.test("pgbars status, undo-move and finish-move end with 2 for a database without pgbars", async () => {
  await using cluster = await useCluster();
  const { db, url } = await openDatabase(cluster);
  await db.close();
  const program = await ownProgram();
  for (const args of [["status"], ["undo-move", "--yes"], ["finish-move", "--yes"]]) {
    const { code, report } = await program.run([...args, "--db", url]);
    assert.equal(code, 2, report);
    assert.match(report, /The database has no function /);
  }
});

async function openDatabase(cluster: Cluster): Promise<{ db: Database; url: string }> {
  const url = await cluster.createDatabase(`pgbars_${crypto.randomUUID()}`);
  return { db: await openServer(url), url };
}

async function readSchemas(db: Database): Promise<string[]> {
  const rows = await db.query<{ name: string }>(
    "select n.nspname as name from pg_namespace as n where n.nspname in ('agg', 'pgbars_releases') order by 1",
  );
  return rows.map(({ name }) => name);
}
