import assert from "node:assert/strict";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { supabase } from "../../scripts/lib/supabase.ts";
import { dumpSchema } from "../../scripts/schema/dump.ts";
import { dumpMovedSchema, openOlder, readCounts } from "../move/older.ts";
import { makeFolder } from "./folder.ts";
import { ownProgram, releasedMigrations } from "./program.ts";

/** The ways in: each brings pgbars into the database at a URL. */
const DOORS: Record<string, (url: string) => Promise<void>> = {
  "supabase db push from a clone": (url) => succeed(supabase(url, ["db", "push"])),
  "pgbars install --move and a push": async (url) => {
    await using folder = await makeFolder({ "supabase/config.toml": 'project_id = "older"\n' });
    const program = await ownProgram();
    await succeed(program.run(["install", "--yes", "--move"], { cwd: folder.path }));
    await succeed(supabase(url, ["db", "push", `--workdir=${folder.path}`]));
  },
  "pgbars migrate": async (url) => succeed((await ownProgram()).run(["migrate", "--db", url])),
  "pgbars move": async (url) => succeed((await ownProgram()).run(["move", "--db", url])),
};

// tests/move takes every shape by one way; these differ most.
for (const shape of ["documents", "only_functions"] as const) {
  Deno.test(`each way in moves an older deployment (${shape}) alike, to the schema of an empty installation`, async (test) => {
    await using cluster = await useCluster();
    await using empty = await openOlder(cluster);
    await migrate(empty.db, releasedMigrations());
    const released = await dumpSchema(cluster, empty.url);
    await migrate(empty.db);
    const newest = await dumpSchema(cluster, empty.url);
    const counts: Record<string, number>[] = [];
    for (const [name, enter] of Object.entries(DOORS)) {
      await test.step(name, async () => {
        await using older = await openOlder(cluster, shape);
        await enter(older.url);
        counts.push(await readCounts(older.db));
        await older.db.query("select public.finish_move(p_despite_checks => true)");
        // A clone has migrations that are not released yet.
        assert.equal(await dumpMovedSchema(cluster, older), name.includes("clone") ? newest : released);
      });
    }
    for (const other of counts) assert.deepEqual(other, counts[0]);
  });
}

async function succeed(running: Promise<{ code: number; report: string }>): Promise<void> {
  const { code, report } = await running;
  assert.equal(code, 0, report);
}
