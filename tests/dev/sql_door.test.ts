import assert from "node:assert/strict";
import postgres from "postgres";
import { openSqlDoor } from "../../scripts/dev/sql_door.ts";
import { run } from "../../scripts/lib/process.ts";
import { openEmbeddedBackend } from "../../scripts/lib/stack/backend.ts";

Deno.test("the SQL door lets psql and drivers into the embedded database, beside its other users", async (test) => {
  const backend = await openEmbeddedBackend();
  await using door = await openSqlDoor(backend, 0, 1000);
  const psql = (...commands: string[]) =>
    run("psql", [door.url, "-XAtq", ...commands.flatMap((command) => ["-c", command])]);
  try {
    await test.step("psql runs statements, copies, and reports errors", async () => {
      const done = await psql(
        "create table public.t (i integer)",
        "insert into public.t values (1), (2)",
        "\\d public.t",
      );
      assert.equal(done.code, 0, done.report);
      assert.match((await psql("\\copy (select i from public.t order by i) to stdout csv")).stdout, /^1\n2\n$/);
      const failed = await psql("select 1 / 0");
      assert.match(failed.report, /division by zero/);
    });

    await test.step("what a client sets is gone with it", async () => {
      await psql("create role visitor", "set role visitor", "set timezone to 'Asia/Tokyo'");
      assert.equal((await psql("select current_user, current_setting('timezone')")).stdout, "postgres|UTC\n");
    });

    await test.step("a driver's prepared statements and transactions work, and others wait for these", async () => {
      const sql = postgres(door.url, { max: 1, fetch_types: false });
      const order: string[] = [];
      let other: Promise<unknown> | undefined;
      await sql.begin(async (transaction) => {
        assert.deepEqual([...await transaction`insert into public.t values (${3}) returning i`], [{ i: 3 }]);
        other = backend.db.query("select count(*) as n from public.t").then((rows) => {
          order.push("other");
          assert.deepEqual(rows, [{ n: 3 }]);
        });
        await new Promise((resolve) => setTimeout(resolve, 100));
        order.push("transaction");
      });
      await other;
      await assert.rejects(sql`select ${1}::integer / 0`, /division by zero/);
      assert.deepEqual([...await sql`select 1 as one`], [{ one: 1 }]);
      await sql.end();
      assert.deepEqual(order, ["transaction", "other"]);
    });

    await test.step("a transaction that is left open is rolled back, after a while or when its client goes", async () => {
      const sql = postgres(door.url, { max: 1, fetch_types: false });
      await sql`select 1`;
      const reserved = await sql.reserve();
      await reserved.unsafe("begin; delete from public.t").simple();
      assert.deepEqual(await backend.db.query("select count(*) as n from public.t"), [{ n: 3 }]);
      await reserved.unsafe("begin; delete from public.t").simple();
      reserved.release();
      await sql.end({ timeout: 0 });
      assert.deepEqual(await backend.db.query("select count(*) as n from public.t"), [{ n: 3 }]);
    });
  } finally {
    await backend.close();
  }
});

Deno.test("openSqlDoor() rejects where its port is taken", async () => {
  const backend = await openEmbeddedBackend();
  await using door = await openSqlDoor(backend, 0);
  await assert.rejects(openSqlDoor(backend, Number(new URL(door.url).port)), { code: "EADDRINUSE" });
  await backend.close();
});
