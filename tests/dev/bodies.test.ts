import assert from "node:assert/strict";
import { ENGINES } from "../support/stack.ts";
import { waitUntil } from "../support/wait.ts";
import { minuteBar, openClient } from "./client.ts";

for (const [engine, openStack] of Object.entries(ENGINES)) {
  Deno.test(`the Data API takes bodies as that of a hosted project (${engine})`, async (test) => {
    await using stack = await openStack();
    await stack.db.exec(`
      create table public.test_default (id int primary key, word text default 'd', number int not null default 7);
      create function public.test_length(jsonb) returns int language sql as 'select jsonb_array_length($1)';
      grant all on public.test_default to service_role;
    `);
    const admin = openClient(stack.url, stack.keys.secret);
    const anon = openClient(stack.url, stack.keys.publishable);
    const send = async (table: string, headers: HeadersInit, body: BodyInit) => {
      const answer = await fetch(`${stack.url}/rest/v1/${table}`, {
        method: "POST",
        headers: { apikey: stack.keys.secret, "content-type": "application/json", ...headers },
        body,
      });
      return { status: answer.status, text: await answer.text() };
    };

    await test.step("a column that a row lacks is null", async () => {
      const rows = [{ id: 1, number: 1 }, { id: 2, word: "x", number: 2 }];
      const { data } = await admin.from("test_default").insert(rows).select();
      assert.deepEqual(data, [{ id: 1, word: null, number: 1 }, { id: 2, word: "x", number: 2 }]);
      assert.deepEqual((await admin.from("test_default").select("word").eq("id", 1)).data, [{ word: null }]);
      const { error } = await admin.from("test_default").insert([{ id: 3 }, { id: 4, number: 1 }]);
      assert.equal(error?.code, "23502");
    });

    await test.step("or has its default, where the client asks for it", async () => {
      const rows = [{ id: 5 }, { id: 6, word: null, number: 6 }];
      assert.equal((await admin.from("test_default").insert(rows, { defaultToNull: false })).status, 201);
      const { data } = await admin.from("test_default").select().gte("id", 5).order("id");
      assert.deepEqual(data, [{ id: 5, word: "d", number: 7 }, { id: 6, word: null, number: 6 }]);
    });

    await test.step("a body without a length is read as others, and one that is not rows is passed on", async () => {
      const body = new Blob([JSON.stringify([{ id: 7, word: "é", number: 1 }])]).stream();
      assert.equal((await send("test_default", {}, body)).status, 201);
      assert.deepEqual((await admin.from("test_default").select("word").eq("id", 7)).data, [{ word: "é" }]);
      assert.equal((await send("test_default", {}, "[{")).status, 400);
      assert.equal((await send("test_default?columns=id", {}, "[null, 1]")).status, 400);
      assert.equal(
        (await send("test_default", { "content-type": "text/csv" }, "id,word,number\n8,NULL,1\n")).status,
        201,
      );
      assert.deepEqual((await admin.from("test_default").select("word").eq("id", 8)).data, [{ word: null }]);
      assert.equal((await send("rpc/test_length", {}, JSON.stringify(Array(40_000).fill({ a: 1 })))).text, "40000");
    });

    await test.step("more values at once than the local stack takes are refused, whatever the body's length says", async () => {
      const rows = Array.from({ length: 5000 }, (_, minute) => ({ ...minuteBar("AUDUSD", minute), vol: 1 }));
      const { status, error } = await admin.from("data_bars").insert(rows);
      assert.deepEqual([status, error?.hint], [413, "Send fewer rows at once."]);
      const stream = new Blob([JSON.stringify(rows)]).stream();
      assert.equal((await send("data_bars", {}, stream)).status, 413);
      const csv = rows.map((row) => Object.values(row).join(",")).join("\n");
      const table = `${Object.keys(rows[0]!).join(",")}\n${csv}\n`;
      assert.equal((await send("data_bars", { "content-type": "text/csv" }, table)).status, 413);
      assert.equal((await admin.from("data_bars").insert(rows.slice(0, 4600))).status, 201);
      assert.equal((await anon.from("data_bars").select()).error?.code, "42501");
    });

    await test.step("JSON of more levels than the local stack takes is refused as by a hosted Postgres", async () => {
      const store = async (raw: string) => {
        const bar = `[${JSON.stringify(minuteBar("NZDUSD", 0)).replace(/}$/, `,"raw":${raw}}`)}]`;
        const answers = [];
        for (const [path, body] of [["rpc/upsert_bars", `{"p_bars":${bar}}`], ["data_bars", bar]] as const) {
          answers.push(await send(path, {}, body));
          await admin.from("data_bars").delete().eq("canonical_symbol", "NZDUSD");
        }
        return answers;
      };
      const nest = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
      for (const raw of [nest(3990), JSON.stringify({ text: '\\"' + "[".repeat(10_000) })]) {
        const [stored, inserted] = await store(raw);
        assert.equal(JSON.parse(stored!.text).inserted, 1);
        assert.equal(inserted!.status, 201);
      }
      for (const levels of [4000, 6000, 20_000]) {
        for (const { status, text } of await store(nest(levels))) {
          assert.deepEqual([status, JSON.parse(text).code], [500, "54001"], String(levels));
        }
      }
    });

    await test.step("a body that does not come holds up no other request", async () => {
      const { hostname, port } = new URL(stack.url);
      const waiting = await Deno.connect({ hostname, port: Number(port) });
      const head = `POST /rest/v1/test_default HTTP/1.1\r\nhost: ${hostname}\r\napikey: ${stack.keys.secret}\r\n`;
      const begin = `${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n[`;
      await waiting.write(new TextEncoder().encode(begin));
      // Other requests are answered, those that come after it included.
      for (let index = 0; index < 5; index++) {
        const answer = admin.from("test_default").select("id").eq("id", 1);
        const { data } = await answer.abortSignal(AbortSignal.timeout(5000));
        assert.deepEqual(data, [{ id: 1 }]);
      }
      waiting.close();
      await waitUntil(async () => (await admin.from("test_default").select("id").eq("id", 1)).status === 200);
    });
  });
}
