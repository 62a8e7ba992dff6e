import assert from "node:assert/strict";
import { VERSION } from "../../cli/lib/version.ts";
import { startCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { dumpSchema } from "../../scripts/schema/dump.ts";
import { waitUntil } from "../support/wait.ts";
import { LATER, LATER_SQL, laterProgram, ownProgram, type Program, releasedMigrations, RELEASES } from "./program.ts";

/** A release as later ones are: it changes a table that tasks are in, and a function. */
const CHANGE = `alter table public.data_agg_state add column test_mark text;\n${LATER_SQL}`;

/** Two assets of which the second is written to all the time, and what the writers and the dispatcher need. */
const ROWS = `
  insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values
    ('OLD', true, '{"agg": {"start_utc": "2026-01-05T00:00:00Z"}}'),
    ('NEW', true, '{"agg": {"start_utc": "2026-01-05T00:00:00Z"}}');
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close)
  select 'OLD', m, 1, 2, 0.5, 1.5 from generate_series(timestamptz '2026-01-05 00:00Z', '2026-01-05 02:59Z', '1 minute') as m;
  select public.agg_run_due(p_now => '2026-01-05 04:00Z');`;

Deno.test("pgbars migrate: an empty database, again, an update under load, and one that is interrupted", async (t) => {
  await using cluster = await startCluster({ version: 15 });
  const program = await ownProgram();
  const url = await cluster.createDatabase("own");
  const db = await openServer(url);
  try {
    await t.step("an empty database gets the schema that the migrations make", async () => {
      assert.deepEqual(await migrateWith(program, url), { version: VERSION, from: null, applied: RELEASES });
      const other = await cluster.createDatabase("other");
      const fresh = await openServer(other);
      await migrate(fresh, releasedMigrations()).finally(() => fresh.close());
      assert.equal(await dumpSchema(cluster, url), await dumpSchema(cluster, other));
      assert.deepEqual(await readReleases(db), RELEASES);
    });

    await t.step("again it does nothing", async () => {
      assert.deepEqual(await migrateWith(program, url), { version: VERSION, from: VERSION, applied: [] });
    });

    await t.step("a release that fails leaves the version before, working, and ends with 2", async () => {
      await using broken = await laterProgram(`${CHANGE} select 1 / 0;`);
      const { code, report, stdout } = await broken.run(["migrate", "--db", url, "--json"]);
      assert.equal(code, 2, report);
      assert.match(JSON.parse(stdout).error, /_pgbars_99_0_0\.sql failed and was rolled back: division by zero/);
      await checkOld(db);
    });

    await t.step("a session that is ended on the way leaves the version before, working", async () => {
      await db.exec(ROWS);
      await using slow = await laterProgram(`${CHANGE} select pg_sleep(60);`);
      const running = slow.run(["migrate", "--db", url]);
      const sleeper = `select a.pid from pg_stat_activity as a where a.datname = 'own' and a.wait_event = 'PgSleep'`;
      await waitUntil(async () => (await db.query(sleeper)).length === 1);
      await db.query(`select pg_terminate_backend(s.pid, 5000) from (${sleeper}) as s`);
      const { code, report } = await running;
      assert.equal(code, 2, report);
      await checkOld(db);
      const [result] = await db.query<{ bars: number }>("select count(*)::int as bars from public.derived_data_bars");
      assert.equal(result!.bars, 39);
    });

    await t.step("an update while writers and a dispatcher run loses no bar and no minute", async () => {
      // It holds its tables for longer than a run of the dispatcher waits for one.
      await using later = await laterProgram(`${CHANGE} select pg_sleep(1);`);
      const load = startLoad(url);
      await waitUntil(async () => (await load.written()) > 20);
      const result = await migrateWith(later, url);
      const before = await load.written();
      await waitUntil(async () => (await load.written()) > before + 20);
      const minutes = await load.stop();
      assert.deepEqual(result, { version: LATER, from: VERSION, applied: [LATER] });
      assert.deepEqual(await readReleases(db), [...RELEASES, LATER]);
      const [row] = await db.query<{ minutes: number; marks: number }>(
        `select (select count(*)::int from public.data_bars as b where b.canonical_symbol = 'NEW') as minutes,
          (select count(s.test_mark)::int from public.data_agg_state as s) as marks`,
      );
      assert.deepEqual(row, { minutes, marks: 0 });
      await db.query("select public.agg_run_due(p_now => '2026-01-20 00:00Z')");
      assert.deepEqual(await db.query("select * from public.agg_verify()"), []);
    });

    await t.step("an older program refuses, and ends with 1", async () => {
      const { code, report, stdout } = await program.run(["migrate", "--db", url, "--json"]);
      assert.equal(code, 1, report);
      assert.match(JSON.parse(stdout).error, /The database has pgbars 99\.0\.0, and this program brings /);
    });
  } finally {
    await db.close();
  }
});

Deno.test("pgbars migrate takes a database that was pushed for what it is, gives way to others, and two at once apply each release once", async () => {
  await using cluster = await startCluster({ version: 15 });
  const url = await cluster.createDatabase("own");
  const db = await openServer(url);
  try {
    await migrate(db, releasedMigrations());
    await using later = await laterProgram(CHANGE);
    await db.exec("select public.grant_read_access('authenticated')");
    await db.exec("begin; select from public.data_agg_state");
    const running = Promise.all([migrateWith(later, url), migrateWith(later, url)]);
    running.catch(() => {});
    const reader = await openServer(url);
    try {
      const waiting = "select from pg_locks as l where l.locktype = 'relation' and not l.granted";
      await waitUntil(async () => (await reader.query(waiting)).length > 0);
      // Behind a lock that is waited for this would wait until the first session ends.
      await reader.exec("set statement_timeout = '10s'; select from public.data_agg_state");
    } finally {
      await reader.close();
      await db.exec("commit");
    }
    const results = await running;
    assert.deepEqual(results.map(({ applied }) => applied).sort(), [[], [LATER]]);
    assert.deepEqual(await readReleases(db), [LATER]);
    // Rights that were granted before are there.
    await db.exec(
      "begin; set local role authenticated; select public.get_bars(array['DXY'], '5m', p_fill => true); commit",
    );
  } finally {
    await db.close();
  }
});

Deno.test("pgbars migrate ends with 2 where it has no database to go to", async () => {
  const program = await ownProgram();
  const problems: [string[], RegExp][] = [
    [[], /No database is given/],
    [["--db", "postgresql://postgres@127.0.0.1:1/none"], /Cannot connect to 127\.0\.0\.1:1\/none: .*ECONNREFUSED/],
    [["--db", "db.sqlite"], /must be a connection string/],
  ];
  for (const [args, message] of problems) {
    const { code, report, stdout } = await program.run(["migrate", "--json", ...args]);
    assert.equal(code, 2, report);
    assert.match(JSON.parse(stdout).error, message);
  }
  const { code, stderr } = await program.run(["migrate"], {
    env: { PGBARS_DB: "postgresql://u:secret@127.0.0.1:1/none" },
  });
  assert.equal(code, 2);
  assert.match(stderr, /Cannot connect to 127\.0\.0\.1:1\/none/);
  assert.ok(!stderr.includes("secret"));
});

async function migrateWith(program: Program, url: string): Promise<Record<string, unknown>> {
  const { code, report, stdout } = await program.run(["migrate", "--db", url, "--json"]);
  assert.equal(code, 0, report);
  return JSON.parse(stdout);
}

async function readReleases(db: Database): Promise<string[]> {
  const rows = await db.query<{ version: string }>("select r.version from pgbars_releases.release as r order by 1");
  return rows.map(({ version }) => version);
}

async function checkOld(db: Database): Promise<void> {
  const [row] = await db.query(
    "select agg.version() as version, public.agg_run_due() ->> 'stopped_reason' is not null as runs",
  );
  assert.deepEqual(row, { version: VERSION, runs: true });
  assert.deepEqual(await readReleases(db), RELEASES);
}

/** Two writers of minutes of NEW and a dispatcher, until they are stopped. Every statement must succeed. */
function startLoad(url: string) {
  let [next, stopped, written] = [0, false, 0];
  let failure: unknown;
  const start = Date.parse("2026-01-05T00:00Z");
  const loop = async (work: (session: Database) => Promise<unknown>) => {
    const session = await openServer(url);
    try {
      while (!stopped) await work(session);
    } finally {
      await session.close();
    }
  };
  const write = (session: Database) => {
    const ts_utc = new Date(start + next++ * 60_000).toISOString();
    const bar = { canonical_symbol: "NEW", ts_utc, open: 1, high: 2, low: 0.5, close: 1.5 };
    return session.query("select public.upsert_bars($1::jsonb)", [JSON.stringify([bar])]).then(() => written++);
  };
  const dispatch = (session: Database) =>
    session.query("select public.agg_run_due(p_now => $1)", [new Date(start + next * 60_000 + 3_600_000)]);
  const loops = Promise.all([loop(write), loop(write), loop(dispatch)]);
  loops.catch((error) => [failure, stopped] = [error, true]);
  return {
    written: () => failure === undefined ? Promise.resolve(written) : loops.then(() => written),
    stop: async () => {
      stopped = true;
      await loops;
      return written;
    },
  };
}
