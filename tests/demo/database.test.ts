import assert from "node:assert/strict";
import { type Database, DatabaseError, openEmbedded, openServer } from "../../scripts/lib/database.ts";
import { type Cluster, useCluster } from "../../scripts/lib/cluster.ts";
import { migrate, readMigrations } from "../../scripts/lib/migrations.ts";

let cluster: Cluster;
let both: Database[] = [];

Deno.test.beforeAll(async () => {
  cluster = await useCluster();
  both = [await openEmbedded(), await openServer(await cluster.createDatabase("demo_database"))];
});

Deno.test.afterAll(async () => {
  for (const db of both) await db.close();
  await cluster.stop();
});

Deno.test("openEmbedded() and openServer() take and give the same values", async () => {
  for (const db of both) {
    const [row] = await db.query(
      `select $1::timestamptz as instant, $2::jsonb as object, $3::jsonb as text, $4::float8[] as floats,
         $5::timestamptz[] as instants, $6::text[] as texts, $7::bigint as small, $8::int as nothing, $9::boolean as flag,
         9007199254740993::bigint as large, 1.50::numeric as exact, current_setting('TimeZone') as zone`,
      [
        new Date(0),
        { a: 1 },
        '{"b": 2}',
        [1, null, 2.5, NaN],
        [new Date(0), null],
        ['a"b\\,', null, "{}", "NULL"],
        5,
        undefined,
        true,
      ],
    );
    assert.deepEqual(row, {
      instant: new Date(0),
      object: { a: 1 },
      text: { b: 2 },
      floats: [1, null, 2.5, NaN],
      instants: [new Date(0), null],
      texts: ['a"b\\,', null, "{}", "NULL"],
      small: 5,
      nothing: null,
      flag: true,
      large: 9007199254740993n,
      exact: "1.50",
      zone: "UTC",
    });
  }
});

Deno.test("openEmbedded() and openServer() throw a DatabaseError that names the code and the constraint", async () => {
  for (const db of both) {
    await db.exec("create table positive (a int constraint must_be_positive check (a > 0))");
    await assert.rejects(db.query("insert into positive values ($1)", [-1]), (error) => {
      assert.ok(error instanceof DatabaseError);
      assert.deepEqual([error.code, error.constraint], ["23514", "must_be_positive"]);
      return true;
    });
    await assert.rejects(db.exec("select 1; selec 2"), { name: "DatabaseError", code: "42601" });
  }
});

Deno.test("openServer() connects to a socket folder given in either way", async () => {
  for (
    const url of [
      `postgresql://postgres@/postgres?host=${cluster.socketDir}&port=${cluster.port}`,
      `postgresql://postgres@${encodeURIComponent(cluster.socketDir)}:${cluster.port}/postgres`,
    ]
  ) {
    const db = await openServer(url);
    assert.deepEqual(await db.query("select inet_client_addr() as address"), [{ address: null }]);
    await db.close();
  }
});

Deno.test("openEmbedded() rejects a folder that another process has open", async () => {
  const folder = await Deno.makeTempDir();
  const holder = await Deno.open(folder);
  await holder.lock(true);
  await assert.rejects(openEmbedded(folder), /is in use by another process/);
  holder.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("migrate() applies every migration once and records it as the Supabase CLI does", async () => {
  for (const db of both) {
    const migrations = await readMigrations();
    assert.deepEqual(await migrate(db), migrations.map((migration) => migration.name));
    assert.deepEqual(await migrate(db), []);
    assert.deepEqual(
      await db.query("select version, name, statements from supabase_migrations.schema_migrations order by version"),
      migrations.map(({ version, name, sql }) => ({ version, name, statements: [sql] })),
    );
  }
});
