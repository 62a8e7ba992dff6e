import assert from "node:assert/strict";
import { startCluster, useCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { disposable } from "../support/cron.ts";
import { readValue, runDue } from "../support/dispatch.ts";
import { dumpAll, NOW, openOlder, readShape, readStatus } from "./older.ts";

/** What move_status() says of subjects that match: outcome and explanation. */
async function statusOf(db: Database, pattern: RegExp): Promise<Record<string, string>> {
  const rows = (await readStatus(db)).filter(({ subject }) => pattern.test(subject));
  return Object.fromEntries(rows.map(({ subject, outcome, explanation }) => [subject, `${outcome}: ${explanation}`]));
}

const NEW_MINUTE = `insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
  values ('GOLD', '2026-01-05 15:00+00', 1, 1, 1, 1)`;

Deno.test("views over the old tables read the new ones, and old ones again after undo_move()", async (test) => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  await db.exec(`
    create schema app;
    create view app.last_minute with (security_invoker = true) as
      select b.canonical_symbol, max(b.ts_utc) as ts_utc from data_bars as b group by 1;
    create view app.of_view as select l.ts_utc from app.last_minute as l where l.canonical_symbol = 'GOLD';
    create view app.ids as select d.id from derived_data_bars as d;
    create materialized view app.counted as select count(*) from data_bars;
    create function app.minutes() returns bigint language sql begin atomic select count(*) from public.data_bars; end;
  `);
  const before = await dumpAll(cluster, older.url);
  await migrate(db);

  await test.step("while they can", async () => {
    await db.exec(NEW_MINUTE);
    assert.deepEqual(await db.query("select v.ts_utc from app.of_view as v"), [{
      ts_utc: new Date("2026-01-05T15:00:00Z"),
    }]);
    const options = "select c.reloptions from pg_class as c where c.oid = 'app.last_minute'::regclass";
    assert.deepEqual(await readValue(db, options), ["security_invoker=true"]);
    assert.deepEqual(await statusOf(db, /^reading view/), {
      "reading view public.latest_bars": "taken over: goes by the new tables",
      "reading view app.last_minute": "taken over: goes by the new tables",
      "reading view app.ids": "stayed: stays with the table that was set aside: column d.id does not exist",
    });
  });

  await test.step("the others hold up finish_move()", async () => {
    const readers = ["function app.minutes()", "materialized view app.counted", "view app.ids"];
    assert.deepEqual(Object.keys(await statusOf(db, / app\.(minutes|counted)|^view app/)), readers);
    const refusal = `still used: ${readers.join(", ")}. Drop these, or let them read the new tables`;
    assert.deepEqual(await statusOf(db, /^finish_move/), { "finish_move()": `refused: ${refusal}` });
    await assert.rejects(db.query("select public.finish_move(p_despite_checks => true)"), {
      message: `the move cannot be finished: ${refusal}`,
    });
  });

  await test.step("and after the way back everything is as before", async () => {
    await db.query("select public.undo_move(false)");
    assert.equal(await dumpAll(cluster, older.url), before);
  });
});

Deno.test("foreign keys to the old registry go by the new one", async (test) => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  await db.exec(`
    create table position_ (symbol text references core_asset_registry_all on delete cascade, primary key (symbol));
    create table note_ (bar bigint references derived_data_bars);
    insert into position_ values ('GOLD');
  `);
  const before = await dumpAll(cluster, older.url);
  await migrate(db);

  await test.step("where it has the key", async () => {
    await db.exec("insert into public.core_asset_registry_all (canonical_symbol, active) values ('NEW', false)");
    await db.exec("insert into position_ values ('NEW')");
    await assert.rejects(db.exec("insert into position_ values ('NOWHERE')"), /violates foreign key/);
    await db.exec("delete from public.core_asset_registry_all where canonical_symbol = 'NEW'");
    assert.equal(await readValue(db, "select count(*) from position_"), 1);
    assert.deepEqual(await statusOf(db, /^foreign key/), {
      "foreign key position__symbol_fkey of public.position_": "taken over: goes by the new tables",
      "foreign key note__bar_fkey of public.note_":
        'stayed: stays with the table that was set aside: column "id" referenced in foreign key constraint does not exist',
    });
  });

  await test.step("and back again", async () => {
    await db.query("select public.undo_move(false)");
    assert.equal(await dumpAll(cluster, older.url), before);
  });
});

Deno.test("publications publish the new tables, with their columns and rows", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  await db.exec(`
    create publication changes for table data_bars, derived_data_bars (canonical_symbol, timeframe, ts_utc, deleted_at) where (deleted_at is null);
    create publication everything for all tables;
  `);
  const published = () =>
    db.query(
      "select t.schemaname || '.' || t.tablename as name, t.attnames, t.rowfilter from pg_publication_tables as t where t.pubname = 'changes' order by 1",
    );
  const before = await published();
  await migrate(db);
  const columns = ["canonical_symbol", "timeframe", "ts_utc", "deleted_at"];
  const now = await published();
  assert.deepEqual(now.map(({ name, rowfilter }) => ({ name, rowfilter })), [
    { name: "public.data_bars", rowfilter: null },
    { name: "public.derived_data_bars", rowfilter: "(deleted_at IS NULL)" },
  ]);
  assert.deepEqual([...now[1]!["attnames"] as string].join("").replaceAll(/[{}]/g, ""), columns.join(","));
  await db.query("select public.undo_move(false)");
  assert.deepEqual(await published(), before);
});

Deno.test("who read the old tables reads the new ones, and may do no more", async (test) => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  // The default grants of a hosted project, open without row level security; and a table with policies.
  await db.exec(`
    grant all on data_bars, derived_data_bars to anon, authenticated, service_role;
    grant select, insert on core_asset_registry_all to anon;
    alter table core_asset_registry_all enable row level security;
    create policy active_only on core_asset_registry_all for select to anon using (active);
    create policy anon_adds on core_asset_registry_all for insert to anon with check (true);
    grant select on data_agg_state to authenticated;
    alter table data_agg_state enable row level security;
  `);
  await migrate(db);
  const asRole = async (role: string, sql: string) => {
    await db.exec(`set role ${role}`);
    try {
      return await readValue<number>(db, sql);
    } finally {
      await db.exec("reset role");
    }
  };

  await test.step("rows", async () => {
    assert.equal(await asRole("anon", "select count(*) from public.data_bars"), 7 * 840 + 840);
    assert.equal(
      await asRole("authenticated", "select count(*) from public.derived_data_bars where deleted_at is not null"),
      0,
    );
    assert.equal(await asRole("anon", "select count(*) from public.core_asset_registry_all where not active"), 0);
    assert.ok(await asRole("anon", "select count(*) from public.core_asset_registry_all") > 0);
    await assert.rejects(asRole("authenticated", "select count(*) from public.data_agg_state"), /permission denied/);
    await assert.rejects(asRole("anon", "select count(*) from pgbars_before.data_bars"), /permission denied/);
    await assert.rejects(asRole("anon", "select public.agg_start('GOLD', '5m')"), /permission denied/);
  });

  await test.step("what they wrote they do not write any more", async () => {
    for (const table of ["data_bars", "derived_data_bars", "core_asset_registry_all"]) {
      const rights = `select has_table_privilege('anon', 'public.${table}', 'insert, update, delete, truncate')`;
      assert.equal(await readValue(db, rights), false, table);
    }
  });

  await test.step("what there is to know", async () => {
    const writes = "; its rights to delete, insert, update stay with the old one";
    assert.deepEqual(await statusOf(db, /^reader anon/), {
      "reader anon of public.core_asset_registry_all":
        "taken over: reads the new table, by the policy active_only; its rights to insert stay with the old one",
      "reader anon of public.data_bars": `taken over: reads the new table, by the policy pgbars_read_anon${writes}`,
      "reader anon of public.derived_data_bars":
        `taken over: reads the new table, by the policy pgbars_read_anon${writes}`,
    });
  });

  await test.step("revoke_read_access() takes it away", async () => {
    await db.query("select public.revoke_read_access('anon')");
    await assert.rejects(asRole("anon", "select count(*) from public.data_bars"), /permission denied/);
  });
});

Deno.test("finish_move() is refused while a check fails, but for p_despite_checks", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  await migrate(db);
  const [{ explanation } = { explanation: "" }] = (await readStatus(db)).filter(({ subject }) =>
    subject === "finish_move()"
  );
  assert.match(explanation, /^a check fails: .*series.*\. See agg_check\(\)$/);
  await assert.rejects(db.query("select public.finish_move()"), {
    message: `the move cannot be finished: ${explanation}`,
  });
  assert.ok((await readStatus(db)).length > 0);
  await db.query("select public.finish_move(p_despite_checks => true)");
  assert.deepEqual(await readStatus(db), []);
});

Deno.test("policies for public, as the dashboard of a hosted project makes them, hold for its roles", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  await db.exec(`
    grant select on derived_data_bars to public;
    alter table derived_data_bars enable row level security;
    create policy "Enable read access for all users" on derived_data_bars for select using (timeframe <> '1h');
  `);
  await migrate(db);
  for (const role of ["anon", "authenticated"]) {
    await db.exec(`set role ${role}`);
    assert.equal(
      await readValue(db, "select string_agg(distinct d.timeframe, ' ') from public.derived_data_bars as d"),
      "1d 5m",
    );
    await assert.rejects(db.query("select from public.data_bars"), /permission denied/);
    await db.exec("reset role");
  }
});

Deno.test("partitions of an old table go along, and back", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "only_bars");
  const { db } = older;
  await db.exec(`
    alter table data_bars rename to old_bars;
    alter index data_bars_pkey rename to old_bars_pkey;
    create table data_bars (like old_bars, primary key (canonical_symbol, timeframe, ts_utc)) partition by range (ts_utc);
    create table data_bars_2026 partition of data_bars for values from ('2026-01-01 00:00+00') to ('2027-01-01 00:00+00');
    create table data_bars_rest partition of data_bars default;
    insert into data_bars select * from old_bars;
    drop table old_bars;
  `);
  const before = await dumpAll(cluster, older.url);
  await migrate(db);
  assert.equal(await readValue(db, "select count(*) from public.data_bars"), 120);
  assert.equal(await readValue(db, "select count(*) from pgbars_before.data_bars_2026"), 128);
  await db.query("select public.undo_move()");
  assert.equal(await dumpAll(cluster, older.url), before);
  await migrate(db);
  await db.query("select public.finish_move(p_despite_checks => true)");
  assert.equal(await readValue(db, "select count(*) from pg_class as c where c.relname like 'data_bars_2026%'"), 0);
});

Deno.test("triggers of the old tables stay there, and are named", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  await migrate(older.db);
  assert.deepEqual(await statusOf(older.db, /^trigger/), {
    "trigger set_updated_at of public.data_agg_state":
      "stayed: stays on the table that was set aside, which no session writes any more",
  });
});

Deno.test("calc_dxy_range_derived serves older callers until finish_move()", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  await migrate(db);
  const call = (timeframe: string) =>
    readValue<Record<string, unknown>>(
      db,
      `select public.calc_dxy_range_derived(p_from_utc => '2026-01-05 13:50+00', p_to_utc => '2026-01-05 14:00+00', p_tf => '${timeframe}')`,
    );
  const { success, inserted } = await call("1m");
  assert.deepEqual({ success, inserted }, { success: true, inserted: 10 });
  assert.deepEqual(await call("5m"), {
    success: true,
    inserted: 0,
    updated: 0,
    message: "the dispatcher builds longer bars",
  });
  await assert.rejects(call("7m"), /7m is not a timeframe/);
  const rights = await db.query(
    `select r.name, has_function_privilege(r.name, 'public.calc_dxy_range_derived(timestamptz,timestamptz,text,integer)', 'execute') as may
     from unnest(array['anon', 'authenticated', 'service_role']) as r (name)`,
  );
  assert.deepEqual(rights, [
    { name: "anon", may: false },
    { name: "authenticated", may: false },
    { name: "service_role", may: true },
  ]);
  await db.query("select public.finish_move(p_despite_checks => true)");
  await assert.rejects(call("1m"), /does not exist/);

  await using other = await openOlder(cluster, "only_bars");
  await migrate(other.db);
  assert.equal(
    await readValue(other.db, "select count(*) from pg_proc as p where p.proname = 'calc_dxy_range_derived'"),
    0,
  );
});

Deno.test("windows that a worker of the older deployment passes over are built", async (test) => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  await migrate(db);
  const finished = async (from: string) => {
    const now = new Date(`2026-01-05T${from}:00Z`);
    await runDue(db, now);
    return await readValue<number>(db, "select count(*) from public.agg_verify('GOLD')");
  };
  const write = async (cursor: string) => {
    await db.exec("set role service_role");
    await db.query(
      "update public.data_agg_state set last_agg_bar_ts_utc = $1 where canonical_symbol = 'GOLD' and timeframe = '5m'",
      [cursor],
    );
    await db.exec("reset role");
  };

  await test.step("with a cursor that means the next window", async () => {
    assert.equal(await finished("12:15"), 0);
    await write("2026-01-05T12:30:00Z");
    assert.equal(await finished("12:40"), 0);
  });

  await test.step("with one that is no start of a window", async () => {
    await write("2026-01-05T13:03:00Z");
    assert.equal(await finished("13:20"), 0);
  });

  await test.step("until finish_move()", async () => {
    await db.query("select public.finish_move(p_despite_checks => true)");
    await write("2026-01-05T13:30:00Z");
    assert.ok(await finished("13:50") > 0);
  });
});

Deno.test("jobs that call an old function become inactive, and active again after undo_move()", async (test) => {
  await using cluster = await startCluster();
  await using db = disposable(await openServer(cluster.url()));
  await db.exec(`create extension pg_cron; ${await readShape("documents")}`);
  await db.exec(`
    select cron.schedule('dxy', '*/5 * * * *', 'select public.calc_dxy_range_derived(now() - interval ''1 hour'', now())');
    select cron.schedule('retention', '0 3 * * *', 'delete from data_bars where ts_utc < now() - interval ''400 days''');
    select cron.schedule('off', '0 3 * * *', 'select agg_start(''GOLD'', ''5m'')');
    select cron.alter_job(j.jobid, active => false) from cron.job as j where j.jobname = 'off';
  `);
  const jobs = () => db.query("select j.jobname, j.active from cron.job as j order by 1");
  const before = await jobs();

  await test.step("moved", async () => {
    await migrate(db);
    assert.deepEqual(await jobs(), [
      { jobname: "dxy", active: false },
      { jobname: "off", active: false },
      { jobname: "pgbars:dispatch", active: true },
      { jobname: "pgbars:maintain", active: true },
      { jobname: "retention", active: true },
    ]);
    assert.deepEqual(await statusOf(db, /^job/), {
      "job dxy": "taken over: is inactive: the jobs of pgbars do its work",
    });
  });

  await test.step("back", async () => {
    assert.deepEqual((await readValue<{ jobs: string[] }>(db, "select public.undo_move()")).jobs, ["dxy"]);
    assert.deepEqual(await jobs(), before);
  });

  await test.step("finished", async () => {
    await migrate(db);
    assert.deepEqual(
      (await readValue<{ jobs: string[] }>(db, "select public.finish_move(p_despite_checks => true)")).jobs,
      ["dxy"],
    );
    assert.deepEqual((await jobs()).map(({ jobname }) => jobname), [
      "off",
      "pgbars:dispatch",
      "pgbars:maintain",
      "retention",
    ]);
  });
});

Deno.test("a bar of the older deployment stays without a source, and is replaced once its window qualifies", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const { db } = older;
  await migrate(db);
  await runDue(db, NOW);
  const minutes =
    "select count(*) from public.data_bars as b where b.canonical_symbol = 'DXY' and b.ts_utc < '2026-01-01 00:00+00'";
  assert.equal(await readValue(db, minutes), 10);
  assert.deepEqual(
    await db.query(
      `select d.timeframe, d.close, d.raw from public.derived_data_bars as d
       where d.canonical_symbol = 'DXY' and d.ts_utc < '2026-01-01 00:00+00' and d.deleted_at is null order by d.ts_utc`,
    ),
    [{ timeframe: "5m", close: 97, raw: {} }, { timeframe: "5m", close: 97, raw: {} }],
  );
});
