import assert from "node:assert/strict";
import { type Cluster, useCluster } from "../../scripts/lib/cluster.ts";
import { type Database, DatabaseError } from "../../scripts/lib/database.ts";
import { migrate, readMigrations } from "../../scripts/lib/migrations.ts";
import { supabase } from "../../scripts/lib/supabase.ts";
import { readValue } from "../support/dispatch.ts";
import { waitUntil } from "../support/wait.ts";
import { dumpAll, type Older, openOlder, readCounts } from "./older.ts";

/** The script of the first migration that copies, statement by statement. */
async function readMove(): Promise<string[]> {
  const script = await Deno.readTextFile(new URL("../../supabase/schemas/99_move.sql", import.meta.url));
  return script.split(/(?<=^\$\$;\n)/m).filter((statement) => statement.trim() !== "");
}

async function assertUnchanged(cluster: Cluster, older: Older, before: string): Promise<void> {
  assert.equal(await dumpAll(cluster, older.url), before);
  assert.equal(
    await readValue(older.db, "select to_regnamespace('agg') is null and to_regnamespace('pgbars_before') is null"),
    true,
  );
}

Deno.test("a move that fails after any of its statements leaves the database as it was", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const before = await dumpAll(cluster, older.url);
  const [migration] = await readMigrations();
  const statements = await readMove();
  assert.ok(statements.length > 10, `${statements.length} statements`);
  for (let end = 0; end <= statements.length; end++) {
    const part = statements.slice(end).join("");
    assert.ok(migration!.sql.includes(part));
    const sql = part === ""
      ? `${migration!.sql}\nselect 1 / 0;`
      : migration!.sql.replace(part, () => `select 1 / 0;\n${part}`);
    await assert.rejects(migrate(older.db, [{ ...migration!, sql }]), /division by zero/);
  }
  await assertUnchanged(cluster, older, before);
});

Deno.test("a push that fails in the copy leaves the database as it was, and one after that moves it", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "no_zone");
  const { db, url } = older;
  await db.exec("alter table data_agg_state alter column total_runs type text using total_runs::text || ' runs'");
  const before = await dumpAll(cluster, url);
  const failed = await supabase(url, ["db", "push"]);
  assert.notEqual(failed.code, 0);
  assert.match(
    failed.report,
    /data_agg_state\.total_runs of the older deployment is text, which cannot be read as bigint/,
  );
  await assertUnchanged(cluster, older, before);

  await db.exec(
    "alter table data_agg_state alter column total_runs type integer using split_part(total_runs, ' ', 1)::integer",
  );
  const pushed = await supabase(url, ["db", "push"]);
  assert.equal(pushed.code, 0, pushed.report);
  assert.equal((await readCounts(db))["data_bars taken over: to data_bars"], 240);
  // A push changes nothing then, and after the way back it moves again.
  const again = await supabase(url, ["db", "push"]);
  assert.equal(again.code, 0, again.report);
  await db.query("select public.undo_move()");
  const moved = await supabase(url, ["db", "push"]);
  assert.equal(moved.code, 0, moved.report);
  assert.equal((await readCounts(db))["data_bars taken over: to data_bars"], 240);
});

const INSERT = `insert into data_bars (canonical_symbol, timeframe, ts_utc, open, high, low, close, source)
  values ('GOLD', '1m', $1, 1, 1, 1, 1, 'ingest')`;

Deno.test("a writer whose transaction is open, and one that comes while the move waits for it, lose nothing", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const [first, second, mover] = [await older.connect(), await older.connect(), await older.connect()];
  const pids = await Promise.all(
    [mover, second].map((session) => readValue<number>(session, "select pg_backend_pid()")),
  );
  await first.exec("begin");
  await first.query(INSERT, ["2026-01-05T14:00:00Z"]);
  const move = migrate(mover);
  await waitForLock(older.db, pids[0]!);
  const insert = second.query(INSERT, ["2026-01-05T14:01:00Z"]);
  await waitForLock(older.db, pids[1]!);
  await first.query(INSERT, ["2026-01-05T14:02:00Z"]);
  await first.exec("commit");
  await Promise.all([move, insert]);

  const minutes = (schema: string) =>
    readValue<string>(
      older.db,
      `select string_agg(to_char(b.ts_utc, 'HH24:MI'), ' ' order by b.ts_utc) from ${schema}.data_bars as b
       where b.canonical_symbol = 'GOLD' and b.ts_utc >= '2026-01-05 14:00+00'`,
    );
  assert.equal(await minutes("pgbars_before"), "14:00 14:02");
  assert.equal(await minutes("public"), "14:00 14:01 14:02");
});

Deno.test("a writer that runs through move, undo and move again loses no minute and doubles none", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const writer = await older.connect();
  let written = 0;
  let isDone = false;
  const writing = (async () => {
    for (; !isDone; written++) await writer.query(INSERT, [new Date(Date.UTC(2026, 0, 6, 0, written))]);
  })();
  const check = async () => {
    const goal = written + 20;
    await waitUntil(() => Promise.resolve(written >= goal));
  };
  await check();
  await migrate(older.db);
  await check();
  await older.db.query("select public.undo_move()");
  await check();
  await migrate(older.db);
  await check();
  isDone = true;
  await writing;
  const counts = await older.db.query(
    `select count(*) as rows, count(distinct b.ts_utc) as minutes from public.data_bars as b
     where b.canonical_symbol = 'GOLD' and b.ts_utc >= '2026-01-06 00:00+00'`,
  );
  assert.deepEqual(counts, [{ rows: written, minutes: written }]);
});

Deno.test("a move gives up where a table stays locked, and needs fresh snapshots", async (test) => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "documents");
  const before = await dumpAll(cluster, older.url);

  await test.step("after lock_timeout", async () => {
    const reader = await older.connect();
    await reader.exec("begin; select from derived_data_bars limit 1");
    await older.db.exec("set lock_timeout = '100ms'");
    await assert.rejects(migrate(older.db), /could not obtain lock/);
    await reader.exec("rollback");
    await assertUnchanged(cluster, older, before);
  });

  await test.step("in a repeatable read transaction", async () => {
    const [migration] = await readMigrations();
    await older.db.exec("begin isolation level repeatable read");
    await assert.rejects(
      older.db.exec(migration!.sql),
      (error) => error instanceof DatabaseError && error.code === "25001",
    );
    await older.db.exec("rollback");
    await assertUnchanged(cluster, older, before);
  });
});

Deno.test("a statement_timeout of the database does not end a long copy; the old table may be a view", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "only_bars");
  await older.db.exec(`
    alter table data_bars rename to minutes;
    alter index data_bars_pkey rename to minutes_pkey;
    create view data_bars as select m.* from minutes as m cross join (select pg_sleep(2)) as s;
    set statement_timeout = '1500ms';
  `);
  await migrate(older.db);
  assert.equal((await readCounts(older.db))["data_bars taken over: to data_bars"], 120);
});

Deno.test("an installation is refused where names that it needs are taken", async () => {
  await using cluster = await useCluster();
  await using older = await openOlder(cluster, "only_functions");
  await older.db.exec("create schema pgbars_before");
  await assert.rejects(migrate(older.db), /the schema pgbars_before exists already/);
  await older.db.exec("drop schema pgbars_before; create schema agg");
  await assert.rejects(migrate(older.db), /the schema agg exists already/);
  await older.db.exec("drop schema agg; create table old_bars (id integer constraint data_bars_pkey primary key)");
  await assert.rejects(
    migrate(older.db),
    /the name of the index data_bars_pkey is needed, and taken by the table old_bars/,
  );
});

async function waitForLock(watcher: Database, pid: number): Promise<void> {
  await waitUntil(() =>
    readValue<boolean>(
      watcher,
      "select coalesce((select a.wait_event_type = 'Lock' from pg_stat_activity as a where a.pid = $1), false)",
      [pid],
    )
  );
}
