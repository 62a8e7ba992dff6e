import assert from "node:assert/strict";
import { VERSION } from "../../cli/lib/version.ts";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { openServerBackend } from "../../scripts/lib/stack/backend.ts";
import { openStack } from "../../scripts/lib/stack/stack.ts";
import { supabase } from "../../scripts/lib/supabase.ts";
import { dumpSchema } from "../../scripts/schema/dump.ts";
import { answerDeployment, type Upload } from "../functions/uploads.ts";
import { functionClient } from "../support/function_client.ts";
import { ACCESS_TOKEN, serveManagementApi } from "../support/management_api.ts";
import { makeFolder } from "./folder.ts";
import { LATER, LATER_SQL, laterProgram, ownProgram, releasedMigrations } from "./program.ts";

/** A project in use: tables, functions and a shared folder of its own, some of them with names that pgbars has inside. */
const OWN_FILES = {
  "supabase/config.toml": `project_id = "shop"\n\n[functions.hello]\nverify_jwt = true\n`,
  "supabase/migrations/20260101000000_shop.sql": `
    create table public.orders (id bigint generated always as identity primary key, symbol text not null);
    create schema app;
    create function app.version() returns text language sql as $$ select 'shop' $$;
    create view public.order_count as select count(*) as orders from public.orders;
    insert into public.orders (symbol) values ('EURUSD');
  `,
  "supabase/functions/_shared/answer.ts": "export const answer = () => new Response('shop');\n",
  "supabase/functions/hello/index.ts": `import { answer } from "../_shared/answer.ts";\nDeno.serve(answer);\n`,
};

Deno.test("a project with migrations and functions of its own: install, push, update, uninstall", async (t) => {
  await using cluster = await startCluster({ version: 15 });
  await using folder = await makeFolder(OWN_FILES);
  const program = await ownProgram();
  const url = cluster.url();
  const push = async () => {
    const { code, report } = await supabase(url, ["db", "push", `--workdir=${folder.path}`]);
    assert.equal(code, 0, report);
  };
  const run = async (command: string, by = program) => {
    const { code, report } = await by.run([command, "--yes"], { cwd: folder.path });
    assert.equal(code, 0, report);
  };
  await push();
  const db = await openServer(url);
  try {
    const bars = () => readRows(db, "select * from public.data_bars order by canonical_symbol, ts_utc");
    const derived = () =>
      readRows(db, "select * from public.derived_data_bars order by canonical_symbol, timeframe, ts_utc");

    await t.step("install and push make the schema of the release beside the project's own", async () => {
      await run("install");
      await push();
      const fresh = await cluster.createDatabase("fresh");
      const other = await openServer(fresh);
      await migrate(other, releasedMigrations()).finally(() => other.close());
      // What is the project's own goes into a copy of the dump as well.
      const [ours, theirs] = [await dumpSchema(cluster, url), await dumpSchema(cluster, fresh)];
      const lines = new Set(ours.split("\n"));
      assert.deepEqual(theirs.split("\n").filter((line) => !lines.has(line)), []);
      assert.deepEqual(await readRows(db, "select * from public.order_count"), [{ orders: 1 }]);
      assert.equal(await countJobs(db), 2);
    });

    await t.step("pushing again does nothing, and the history has the files of the folder", async () => {
      await push();
      const applied = await readRows(
        db,
        "select m.version || '_' || m.name || '.sql' as file from supabase_migrations.schema_migrations as m order by 1",
      );
      const files = Object.keys(await folder.readAll()).filter((path) => path.endsWith(".sql"));
      assert.deepEqual(applied.map(({ file }) => `supabase/migrations/${file}`), files);
    });

    await t.step("supabase functions deploy uploads each function by itself, without a check of a JWT", async () => {
      const uploads = await deploy(folder.path);
      const files = await folder.readAll();
      const uploaded = uploads.filter(({ slug }) => slug !== "hello");
      assert.equal(uploads.length, 5);
      for (const { slug, files: sent, metadata } of uploaded) {
        const paths = [`supabase/functions/${slug}/deno.json`, `supabase/functions/${slug}/index.ts`];
        assert.deepEqual(sent, Object.fromEntries(paths.map((path) => [path, files[path]])));
        assert.equal(metadata["verify_jwt"], false);
        assert.equal(metadata["entrypoint_path"], `supabase/functions/${slug}/index.ts`);
        assert.equal(metadata["import_map_path"], `supabase/functions/${slug}/deno.json`);
      }
    });

    await t.step("the functions work: registry-sync makes tasks, and refuses a wrong key", async () => {
      await db.exec(`insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
        values ('EURUSD', true, '{"agg": {"start_utc": "2026-01-05T00:00:00Z"}}')`);
      const backend = await openServerBackend(url);
      try {
        await using stack = await openStack(backend, { folder: `${folder.path}/supabase/functions` });
        const client = functionClient(stack.url);
        const { status, body } = await client.post("registry-sync", {});
        assert.equal(status, 200, JSON.stringify(body));
        assert.equal(body.env, "prod");
        assert.equal((await client.send("derive-dxy", { headers: { apikey: "wrong" } })).status, 401);
      } finally {
        await backend.close();
      }
    });

    await t.step(
      "an update writes only the difference, after a migration that the project has added meanwhile",
      async () => {
        await db.exec(`insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol)
        select 'EURUSD', m, 1, 2, 0.5, 1.5, 1
        from generate_series(timestamptz '2026-01-05 00:00Z', '2026-01-05 00:59Z', '1 minute') as m;
        select public.agg_run_due(p_now => '2026-01-05 02:00Z');`);
        const before = [await bars(), await derived()];
        assert.deepEqual(before.map((rows) => rows.length), [60, 13]);
        const own = "supabase/migrations/20991231000000_more.sql";
        await folder.write(own, "alter table public.orders add column price numeric;\n");
        await push();
        await using later = await laterProgram(LATER_SQL);
        await run("install", later);
        await push();
        const [row] = await readRows(db, "select agg.version() as version, count(price) as prices from public.orders");
        assert.deepEqual(row, { version: LATER, prices: 0 });
        assert.deepEqual([await bars(), await derived()], before);
      },
    );

    await t.step("uninstall removes everything but the bars", async () => {
      const before = [await bars(), await derived()];
      await db.query("select public.grant_read_access('authenticated')");
      // As enable_broadcast makes it.
      await db.exec(`create schema realtime; create table realtime.messages ();
        create policy pgbars_read_bars on realtime.messages using (true)`);
      await using later = await laterProgram(LATER_SQL);
      await run("uninstall", later);
      await push();
      assert.deepEqual([await bars(), await derived()], before);
      assert.deepEqual(await readLeft(db), {
        relations: "data_bars, derived_data_bars, order_count, orders",
        functions: null,
        triggers: null,
        policies: null,
        schemas: "app, realtime",
      });
      assert.equal(await countJobs(db), 0);
      assert.deepEqual(await readRows(db, "select from pg_policies where schemaname = 'realtime'"), []);
      await db.exec("drop schema realtime cascade");
      await db.exec(
        `update public.data_bars set close = 1.6; delete from public.derived_data_bars; delete from public.data_bars;`,
      );
      const files = await folder.readAll();
      for (const [path, text] of Object.entries(OWN_FILES)) assert.equal(files[path], text, path);
      assert.deepEqual(Object.keys(files).filter((path) => /derive-dxy|registry-sync/.test(path)), []);
    });
  } finally {
    await db.close();
  }
});

Deno.test("the migration of uninstall fails, and changes nothing, where the project needs the schema agg", async () => {
  await using cluster = await startCluster({ version: 15 });
  await using folder = await makeFolder({ "supabase/config.toml": "" });
  const program = await ownProgram();
  const url = cluster.url();
  const push = () => supabase(url, ["db", "push", `--workdir=${folder.path}`]);
  assert.equal((await program.run(["install", "--yes"], { cwd: folder.path })).code, 0);
  await folder.write(
    "supabase/migrations/20991231000000_own.sql",
    "create view public.own as select * from agg.task;\n" +
      "create table public.prices (timeframe text references agg.timeframe);\n",
  );
  const installed = await push();
  assert.equal(installed.code, 0, installed.report);
  assert.equal((await program.run(["uninstall", "--yes"], { cwd: folder.path })).code, 0);
  const { code, report } = await push();
  assert.notEqual(code, 0);
  assert.match(report, /these relations need the schema agg: own, prices/);
  const db = await openServer(url);
  try {
    assert.deepEqual(await readRows(db, "select agg.version() as version, count(*) as tasks from public.own"), [
      { version: VERSION, tasks: 3 },
    ]);
    assert.equal(await countJobs(db), 2);
  } finally {
    await db.close();
  }
});

async function deploy(folder: string): Promise<Upload[]> {
  const uploads: Upload[] = [];
  await using api = await serveManagementApi((request) => answerDeployment(request, uploads));
  Deno.env.set("SUPABASE_ACCESS_TOKEN", ACCESS_TOKEN);
  try {
    const args = ["functions", "deploy", "--use-api", `--profile=${api.profile}`, `--workdir=${folder}`];
    const { code, report } = await supabase("abcdefghijklmnopqrst", args);
    assert.equal(code, 0, report);
  } finally {
    Deno.env.delete("SUPABASE_ACCESS_TOKEN");
  }
  return uploads;
}

function readRows(db: Database, sql: string): Promise<Record<string, unknown>[]> {
  return db.query(sql);
}

async function countJobs(db: Database): Promise<number> {
  return (await db.query("select from cron.job as j where j.jobname like 'pgbars:%'")).length;
}

async function readLeft(db: Database): Promise<Record<string, unknown>> {
  const [row] = await db.query(`
    select
      (select string_agg(c.relname, ', ' order by c.relname) from pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p')) as relations,
      (select string_agg(p.proname, ', ') from pg_proc as p where p.pronamespace = 'public'::regnamespace) as functions,
      (select string_agg(t.tgname, ', ') from pg_trigger as t where not t.tgisinternal
        and t.tgrelid in ('public.data_bars'::regclass, 'public.derived_data_bars'::regclass)) as triggers,
      (select string_agg(p.policyname, ', ') from pg_policies as p where p.schemaname = 'public') as policies,
      (select string_agg(n.nspname, ', ') from pg_namespace as n
        where n.nspname not in ('public', 'information_schema', 'cron', 'supabase_migrations', 'auth') and n.nspname !~ '^pg_') as schemas`);
  return row!;
}
