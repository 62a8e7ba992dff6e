import assert from "node:assert/strict";
import { join } from "node:path";
import { demo, demoIn, project, withFolder } from "./command.ts";

Deno.test("demo refuses options that do not go together, and says why", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--db", "postgres://127.0.0.1/x", "--keep", "x"], /'--db <url>' cannot be used with option '--keep <dir>'/],
    [["--data", "x", "--weeks", "2"], /'--weeks <n>' cannot be used with option '--data <dir>'/],
    [["--data", "x", "--seed", "2"], /'--seed <n>' cannot be used with option '--data <dir>'/],
    [["--once", "--hours", "2"], /'--hours <n>' cannot be used with option '--once'/],
    [["--weeks", "0"], /'0' is invalid\. Give a whole number from 1 to 8/],
    [["--seed", "1.5"], /'1\.5' is invalid/],
    [["--sql", "select 1"], /'--sql <query>' needs '--keep <dir>' or '--db <url>'/],
    [["--zone", "UTC"], /'--zone <zone>' needs '--data <dir>'/],
    [["--csv"], /'--csv' needs '--sql <query>'/],
    [["--keep", project.pathname], /the folder holds other files/],
    [["--db", "postgres://127.0.0.1:1/x"], /--db: cannot connect/],
    [["more"], /too many arguments/],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, stderr } = await demo(...args);
    assert.match(stderr, message);
    assert.equal(code, 1);
  }));
});

Deno.test("demo --data says that a path is wrong before it opens the database", async () => {
  await withFolder(async (folder) => {
    const keep = join(folder, "db");
    await Deno.writeTextFile(join(folder, "bars.csv"), "");
    for (
      const [data, problem] of [["none", "there is no such folder"], ["bars.csv", "it is not a folder"]] as const
    ) {
      const { code, stdout, stderr } = await demo("--data", join(folder, data), "--keep", keep);
      assert.deepEqual([code, stdout], [1, ""]);
      assert.ok(stderr.includes(problem), stderr);
      await assert.rejects(Deno.stat(keep), Deno.errors.NotFound);
    }
  });
});

Deno.test("demo --help describes the files of --data", async () => {
  const { code, stdout } = await demo("--help");
  assert.equal(code, 0);
  for (
    const column of ["ts_utc", "open", "high", "low", "close", "vol", "vwap", "trade_count", "canonical_symbol"]
  ) assert.ok(stdout.includes(column), column);
  assert.match(stdout, /2025-01-31T09:59:00Z/);
});

Deno.test("demo asks the npm registry for none of the packages that only the development stack needs", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked.push(decodeURIComponent(new URL(request.url).pathname));
    return new Response(null, { status: 404 });
  });
  await withFolder(async (folder) => {
    const NPM_CONFIG_REGISTRY = `http://127.0.0.1:${server.addr.port}/`;
    const { code } = await demoIn({ DENO_DIR: folder, NPM_CONFIG_REGISTRY }, "--help");
    assert.equal(code, 1, "the registry has nothing");
  });
  assert.ok(asked.some((path) => path.startsWith("/commander/")), asked.join());
  assert.deepEqual(asked.filter((path) => /supabase|sentry|opentelemetry|typescript/.test(path)), []);
});
