import assert from "node:assert/strict";
import postgres from "postgres";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { disposable } from "../support/cron.ts";
import { readValue } from "../support/dispatch.ts";
import { waitUntil } from "../support/wait.ts";
import { openOlder, readCounts, readShape } from "./older.ts";

Deno.test("an owner that is no superuser moves a deployment made with the default privileges of a hosted project", async (test) => {
  await using cluster = await useCluster();
  await using admin = await openOlder(cluster);
  const owner = `owner_${crypto.randomUUID().slice(0, 8)}`;
  const database = new URL(admin.url).pathname.slice(1);
  await admin.db.exec(`
    create role ${owner} login createrole bypassrls;
    alter database "${database}" owner to ${owner};
    alter schema public owner to ${owner};
    alter default privileges for role ${owner} grant usage on schemas to anon;
    alter default privileges for role ${owner} in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges for role ${owner} in schema public grant all on functions to anon, authenticated, service_role;
    grant service_role, anon to ${owner};
  `);
  try {
    await using db = disposable(await openServer(admin.url.replace("postgres@", `${owner}@`)));
    await db.exec(await readShape("documents"));
    await migrate(db);
    assert.equal((await readCounts(db))["data_bars taken over: to data_bars"], 7 * 840);

    await test.step("what is new is open to readers that there were, and to nothing else", async () => {
      assert.equal(
        await readValue(
          db,
          `select count(*) from pg_proc as p where p.pronamespace in ('public'::regnamespace, 'pgbars_before'::regnamespace)
             and p.proname <> 'set_updated_at' and has_schema_privilege('anon', p.pronamespace, 'usage')
             and has_function_privilege('anon', p.oid, 'execute')`,
        ),
        0,
      );
      await db.exec("set role anon");
      assert.equal(await readValue(db, "select count(*) from public.data_bars"), 7 * 840 + 840);
      await assert.rejects(db.exec("delete from public.data_bars"), /permission denied/);
      await assert.rejects(db.query("select from pgbars_before.data_bars"), /permission denied for schema/);
      await db.exec("reset role");
    });

    await test.step("service_role may ask for the status; to go back and to finish is the owner's", async () => {
      await db.exec("set role service_role");
      assert.ok((await readCounts(db))["data_bars taken over: to data_bars"]);
      await assert.rejects(db.query("select public.undo_move(false)"), /permission denied for function undo_move/);
      await assert.rejects(db.query("select public.finish_move(true)"), /permission denied for function finish_move/);
      await db.exec("reset role");
      await db.query("select public.undo_move(false)");
      assert.equal(await readValue(db, "select to_regnamespace('agg') is null"), true);
      await migrate(db);
      await db.query("select public.finish_move(p_despite_checks => true)");
    });
  } finally {
    await admin.db.exec(`reassign owned by ${owner} to postgres; drop owned by ${owner} cascade; drop role ${owner}`);
  }
});

Deno.test("the Data API is asked to read its schema again after move, undo and finish", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "only_bars");
  const asked: string[] = [];
  const listener = postgres(older.url);
  await listener.listen("pgrst", (payload) => asked.push(payload));
  try {
    await migrate(older.db);
    await waitUntil(() => Promise.resolve(asked.length === 1));
    await older.db.query("select public.undo_move()");
    await waitUntil(() => Promise.resolve(asked.length === 2));
    await migrate(older.db);
    await older.db.query("select public.finish_move(p_despite_checks => true)");
    await waitUntil(() => Promise.resolve(asked.length === 4));
    assert.deepEqual(new Set(asked), new Set(["reload schema"]));
  } finally {
    await listener.end();
  }
});
