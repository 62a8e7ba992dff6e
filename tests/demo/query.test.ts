import assert from "node:assert/strict";
import { renderRows, writeCsv } from "../../scripts/demo/query.ts";
import { type Database, openEmbedded } from "../../scripts/lib/database.ts";

let db: Database;
Deno.test.beforeAll(async () => {
  db = await openEmbedded();
});
Deno.test.afterAll(() => db.close());

async function csv(sql: string, onChunk: (text: string) => void | Promise<void> = () => {}): Promise<string> {
  let all = "";
  const out = new WritableStream<Uint8Array>({
    async write(chunk) {
      const text = new TextDecoder().decode(chunk);
      all += text;
      await onChunk(text);
    },
  });
  await writeCsv(db, sql, out);
  return all;
}

Deno.test("renderRows() renders 30,000 rows of 14 columns", () => {
  const row = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`column_${index}`, index * 1.5]));
  const lines = renderRows(Array.from({ length: 30_000 }, () => row)).split("\n");
  assert.equal(lines.length, 30_001);
  assert.equal(lines[0]!.split("  ").length, 14);
});

Deno.test("renderRows() lines columns up, shows null, and keeps a value in its line", () => {
  assert.equal(
    renderRows([
      { a: null, at: new Date(0), json: { b: [1] } },
      { a: "x\ny", at: null, json: "日本" },
      { a: "longer", at: true, json: 5n },
    ]),
    [
      "a       at                        json",
      'null    1970-01-01T00:00:00.000Z  {"b":[1]}',
      "x y     null                      日本",
      "longer  true                      5",
    ].join("\n"),
  );
  assert.equal(renderRows([]), "(no row)");
});

Deno.test("writeCsv() writes every type as text that can be read back", async () => {
  assert.equal(
    await csv(`
      select 1.5::float8 as number, 9007199254740993 as large, true as yes, false as no, null as nothing,
        timestamptz '2026-01-02 03:04:05+00' as at, 'a,"b"' || chr(10) || 'c' as text, '{"k": [1]}'::jsonb as json, '' as empty;`),
    "number,large,yes,no,nothing,at,text,json,empty\n" +
      '1.5,9007199254740993,true,false,,2026-01-02T03:04:05.000Z,"a,""b""\nc","{""k"":[1]}",\n',
  );
});

Deno.test("writeCsv() writes rows as they come", async () => {
  await db.exec("create sequence made");
  const counts: number[] = [];
  const text = await csv("select nextval('made') as nr from generate_series(1, 3500)", async () => {
    const [row] = await db.query<{ last_value: number }>("select last_value from made");
    counts.push(row!.last_value);
  });
  assert.deepEqual(counts, [1000, 2000, 3000, 3500]);
  assert.ok(text === ["nr", ...Array.from({ length: 3500 }, (_, index) => index + 1), ""].join("\n"));
});

Deno.test("writeCsv() keeps what a select writes, and takes statements that no cursor takes", async () => {
  await db.exec("create table kept (a int)");
  assert.equal(await csv("insert into kept values (1), (2) returning a"), "a\n1\n2\n");
  assert.equal(await csv("with new as (insert into kept values (3) returning a) select * from new"), "a\n3\n");
  assert.match(await csv("explain select 1"), /^QUERY PLAN\nResult/);
  await db.exec("create function keep(v int) returns int language sql as 'insert into kept values (v) returning a'");
  assert.equal(await csv("select keep(4) as a"), "a\n4\n");
  assert.equal(await csv("select a from kept where a > 4"), "");
  assert.deepEqual(await db.query("select count(*)::int as rows from kept"), [{ rows: 4 }]);
});

Deno.test("writeCsv() rejects with what Postgres says", async () => {
  await assert.rejects(csv("selec 1"), { code: "42601" });
  await assert.rejects(csv("select 1 / 0"), { code: "22012" });
  await db.exec("rollback");
});

Deno.test("writeCsv() ends when the reader has gone", async () => {
  let chunks = 0;
  await csv("select * from generate_series(1, 100000)", () => {
    if (++chunks === 2) throw new Deno.errors.BrokenPipe();
  });
  assert.equal(chunks, 2);
  await db.exec("rollback");
});
