import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { dumpSchema } from "../../scripts/schema/dump.ts";
import { supabase } from "../../scripts/lib/supabase.ts";
import { dumpAll, dumpMovedSchema, openOlder, readCounts, readShape, type StatusRow } from "../move/older.ts";
import { makeFolder } from "./folder.ts";
import { ownProgram, releasedMigrations, RELEASES } from "./program.ts";

Deno.test("pgbars move, status, undo-move and finish-move on an older deployment", async (test) => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db, url } = older;
  const program = await ownProgram();
  const run = async (args: string[]) => {
    const { code, report, stdout, stderr } = await program.run([...args, "--db", url, "--json"]);
    assert.equal(code, 0, report);
    return { result: JSON.parse(stdout), stderr };
  };
  const taken = (rows: StatusRow[]) =>
    rows.filter(({ outcome }) => outcome === "taken over").reduce((sum, { rows }) => sum + (rows ?? 0), 0);
  const before = await dumpAll(cluster, url);

  await test.step("a dry run says what it would do, and does nothing", async () => {
    const { result, stderr } = await run(["move", "--dry-run"]);
    assert.equal(result.dryRun, true);
    assert.equal(taken(result.rows), 9 + 7 * 840 + 840 + 529 + 16);
    assert.match(stderr, /needs up to [0-9.]+ [kM]B more on disk/);
    assert.equal(await dumpAll(cluster, url), before);
  });

  await test.step("the move does it", async () => {
    const { result } = await run(["move"]);
    assert.deepEqual(result.applied, RELEASES);
    assert.equal(taken(result.rows), 9 + 7 * 840 + 840 + 529 + 16);
    assert.deepEqual(taken((await run(["status"])).result), taken(result.rows));
  });

  await test.step("and undo-move undoes it, so that there is something to move again", async () => {
    await run(["undo-move", "--yes"]);
    assert.equal(await dumpAll(cluster, url), before);
    assert.deepEqual((await run(["move"])).result.applied, RELEASES);
  });

  await test.step("finish-move is refused while a check fails, but for --despite-checks", async () => {
    const { code, report } = await program.run(["finish-move", "--yes", "--db", url]);
    assert.equal(code, 1, report);
    assert.match(report, /the move cannot be finished: a check fails: /);
    await run(["finish-move", "--yes", "--despite-checks"]);
    assert.deepEqual(await readCounts(db), {});
  });
});

Deno.test("pgbars migrate moves an older deployment, and makes the schema of an empty installation", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "executed");
  const { code, report } = await (await ownProgram()).run(["migrate", "--db", older.url]);
  assert.equal(code, 0, report);
  assert.equal((await readCounts(older.db))["data_bars taken over: to data_bars"], 6 * 360 + 365);
  await older.db.query("select public.finish_move(p_despite_checks => true)");
  await using empty = await openOlder(cluster);
  await migrate(empty.db, releasedMigrations());
  assert.equal(await dumpMovedSchema(cluster, older), await dumpSchema(cluster, empty.url));
});

Deno.test("pgbars install --move and a push move the older deployment of a project with migrations of its own", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster);
  await using folder = await makeFolder({
    "supabase/config.toml": 'project_id = "older"\n',
    "supabase/migrations/20260101000000_bars.sql": await readShape("documents"),
  });
  const push = async () => {
    const { code, report } = await supabase(older.url, ["db", "push", `--workdir=${folder.path}`]);
    assert.equal(code, 0, report);
  };
  await push();
  const { code, report } = await (await ownProgram()).run(["install", "--yes", "--move"], { cwd: folder.path });
  assert.equal(code, 0, report);
  await push();
  assert.equal((await readCounts(older.db))["data_bars taken over: to data_bars"], 7 * 840);
  await older.db.query("select public.finish_move(p_despite_checks => true)");
  await using empty = await openOlder(cluster);
  await migrate(empty.db, releasedMigrations());
  assert.equal(await dumpMovedSchema(cluster, older), await dumpSchema(cluster, empty.url));
});
