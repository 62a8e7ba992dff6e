import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dev, startDev } from "./command.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));

Deno.test("dev says why it cannot start, and what to do", async () => {
  const folder = await Deno.makeTempDir();
  const [mine, other] = [`${folder}/mine`, `${folder}/other`];
  await Deno.mkdir(other);
  await Deno.writeTextFile(`${other}/PG_VERSION`, "18\n");
  const bad = `${folder}/bad.sql`;
  await Deno.writeTextFile(bad, "select 1; select * from public.nothing;");
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    await using first = await startDev(["--keep", mine]);
    const cases: [args: string[], message: RegExp][] = [
      [["--port", String(taken.addr.port)], /port \d+ is taken, .* give another port with --port/],
      [["--port", "65536"], /'65536' is invalid\. Give a whole number from 0 to 65535/],
      [["--db", "postgres://127.0.0.1/x", "--keep", "x"], /'--db <url>' cannot be used with option '--keep <dir>'/],
      [["--db", "postgres://127.0.0.1:1/x"], /--db: cannot connect/],
      [["--db", "mysql://127.0.0.1/x"], /Give a URL like postgresql:\/\/user:password@host:5432\/database/],
      [["--keep", mine], /is in use by another process; name another folder/],
      [["--keep", ""], /Give a path/],
      [["--port", "0", "--sql", `${folder}/none.sql`], /--sql .*none\.sql: .*No such file/],
      [["--port", "0", "--sql", bad], /--sql .*bad\.sql: relation "public\.nothing" does not exist/],
      [["--keep", project], /the folder holds other files/],
      [["--keep", other], /of Postgres 18, and the one here is 17; name a new folder/],
      [["--port", "0", "--functions", `${folder}/none`], /--functions .*none: there is no such folder/],
      [["more"], /too many arguments/],
    ];
    await using started = new AsyncDisposableStack();
    const refusals = cases.map(([args, message]) => ({ refused: started.use(dev(args)), message }));
    for (const { refused, message } of refusals) {
      assert.equal(await refused.ended, 1);
      assert.match(refused.output.stderr, message);
      assert.doesNotMatch(refused.output.stderr, /^ +at /m);
    }
    assert.equal(await first.stop(), 0);
  } finally {
    taken.close();
    await Deno.remove(folder, { recursive: true });
  }
});
