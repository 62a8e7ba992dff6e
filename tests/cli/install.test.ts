import assert from "node:assert/strict";
import { makeFolder, type TestFolder } from "./folder.ts";
import { VERSION } from "../../cli/lib/version.ts";
import { LATER, LATER_SQL, laterProgram, ownProgram, releaseName } from "./program.ts";

const NAME = releaseName(VERSION);

const CONFIG = `project_id = "x"\n`;

function findMigrations(files: Record<string, string>): string[] {
  return Object.keys(files).filter((path) => path.startsWith("supabase/migrations/") && path.includes("_pgbars_"));
}

async function installIn(folder: TestFolder, args: string[] = [], input?: string) {
  const program = await ownProgram();
  return await program.run(["install", ...args], { cwd: folder.path, ...(input !== undefined && { input }) });
}

Deno.test("install writes a migration after the newest of the project, four functions and their sections, once", async () => {
  await using folder = await makeFolder({
    "supabase/config.toml": CONFIG,
    "supabase/migrations/20260101000000_notes.sql": "create table notes (id integer);\n",
    "supabase/migrations/20991231235959_later.sql": "select 1;\n",
  });
  const before = await folder.readAll();
  const { code, report } = await installIn(folder, ["--yes"]);
  assert.equal(code, 0, report);
  const after = await folder.readAll();
  assert.deepEqual(
    Object.keys(after).filter((path) => !(path in before)),
    [
      ...["deliver-alerts", "derive-dxy", "pgbars-metrics", "registry-sync"].flatMap((name) => [
        `supabase/functions/${name}/deno.json`,
        `supabase/functions/${name}/index.ts`,
      ]),
      `supabase/migrations/20991231235960_${NAME}.sql`,
    ],
  );
  assert.equal(
    after["supabase/migrations/20260101000000_notes.sql"],
    before["supabase/migrations/20260101000000_notes.sql"],
  );
  assert.ok(after["supabase/config.toml"]!.startsWith(`${CONFIG}\n[functions.deliver-alerts]\n`));

  const again = await installIn(folder, ["--json"]);
  assert.equal(again.code, 0, again.report);
  assert.deepEqual(JSON.parse(again.stdout), { version: VERSION, from: VERSION, changed: [] });
  assert.deepEqual(await folder.readAll(), after);
});

Deno.test("install takes the time as version where the project's migrations are older, whatever their digits", async () => {
  for (const version of ["20260420", "20260420010000", "1"]) {
    await using folder = await makeFolder({ [`supabase/migrations/${version}_first.sql`]: "select 1;\n" });
    const { code, report } = await installIn(folder, ["--yes"]);
    assert.equal(code, 0, report);
    const [path] = findMigrations(await folder.readAll());
    assert.match(path!, new RegExp(`/${new Date().getUTCFullYear()}\\d{10}_${NAME}\\.sql$`));
  }
});

Deno.test("install shows the change and asks; without yes it writes nothing and ends with 1", async () => {
  await using folder = await makeFolder({ "supabase/config.toml": CONFIG });
  const before = await folder.readAll();
  for (const input of ["n\n", ""]) {
    const { code, report, stderr } = await installIn(folder, [], input);
    assert.equal(code, 1, report);
    assert.match(stderr, new RegExp(`^new +supabase/migrations/\\d{14}_${NAME}\\.sql \\(\\d+ lines\\)$`, "m"));
    assert.match(stderr, /^\+verify_jwt = false$/m);
    assert.match(stderr, /Nothing was changed/);
    assert.deepEqual(await folder.readAll(), before);
  }
  const { code, report } = await installIn(folder, [], "y\n");
  assert.equal(code, 0, report);
  assert.equal(findMigrations(await folder.readAll()).length, 1);
});

Deno.test("install refuses names that are taken, and says which", async () => {
  await using folder = await makeFolder({
    "supabase/config.toml": `[functions.registry-sync]\nentrypoint = "../mine/index.ts"\n`,
    "supabase/functions/derive-dxy/index.ts": "Deno.serve(() => new Response());\n",
    "supabase/migrations/20260101000000_bars.sql":
      "create table public.data_bars (id integer);\ncreate table gone ();\n",
    "supabase/migrations/20260102000000_more.sql":
      "create function agg_run_due() returns void language sql as '';\ncreate schema agg;\ncreate table agg.own ();\n",
  });
  const before = await folder.readAll();
  const functions = [
    "the folder supabase/functions/derive-dxy",
    "the section [functions.registry-sync] of supabase/config.toml, with ../mine/index.ts",
  ];
  const objects = [
    "table data_bars, of supabase/migrations/20260101000000_bars.sql",
    "function agg_run_due, of supabase/migrations/20260102000000_more.sql",
  ];
  const own = [
    "schema agg, of supabase/migrations/20260102000000_more.sql",
    "table agg.own, of supabase/migrations/20260102000000_more.sql",
  ];
  const problems: [string[], string[]][] = [
    [["--yes"], [...functions, ...objects, ...own]],
    [["--yes", "--move"], [...functions, ...own]],
  ];
  for (const [args, expected] of problems) {
    const { code, stderr, report } = await installIn(folder, args);
    assert.equal(code, 1, report);
    const lines = stderr.split("\n").filter((line) => line.startsWith("  ")).map((line) => line.trim());
    assert.deepEqual(lines, expected);
    assert.deepEqual(await folder.readAll(), before);
  }
});

Deno.test("install --move installs beside tables of these names, which the migration sets aside", async () => {
  await using folder = await makeFolder({
    "supabase/migrations/20260101000000_bars.sql": "create table public.data_bars (id integer);\n",
  });
  const { code, report } = await installIn(folder, ["--yes", "--move"]);
  assert.equal(code, 0, report);
  assert.equal(findMigrations(await folder.readAll()).length, 1);
});

Deno.test("install takes names that the project has dropped again", async () => {
  await using folder = await makeFolder({
    "supabase/migrations/20260101000000_bars.sql": "create table public.data_bars (id integer);\n",
    "supabase/migrations/20260102000000_none.sql": "drop table data_bars;\n",
  });
  const { code, report } = await installIn(folder, ["--yes"]);
  assert.equal(code, 0, report);
});

Deno.test("install of a later version writes the difference alone, and an older program refuses", async () => {
  await using folder = await makeFolder({ "supabase/config.toml": CONFIG });
  assert.equal((await installIn(folder, ["--yes"])).code, 0);
  const before = await folder.readAll();
  await using later = await laterProgram(LATER_SQL);
  const { code, report, stdout } = await later.run(["install", "--yes", "--json"], { cwd: folder.path });
  assert.equal(code, 0, report);
  const { from, version, changed } = JSON.parse(stdout);
  assert.deepEqual([from, version], [VERSION, LATER]);
  const after = await folder.readAll();
  const [path] = Object.keys(after).filter((path) => !(path in before));
  assert.deepEqual(changed, [path]);
  assert.match(path!, new RegExp(`_${releaseName(LATER)}\\.sql$`));
  assert.ok(after[path!]!.endsWith(`-- 20991231235959_${releaseName(LATER)}.sql\n${LATER_SQL}`));
  assert.ok(!after[path!]!.includes("create table"));

  const older = await installIn(folder, ["--yes"]);
  assert.equal(older.code, 1, older.report);
  assert.ok(older.stderr.includes(`has pgbars ${LATER}, and this program is ${VERSION}`), older.report);
});

Deno.test("install writes a function again that was edited, and takes back no file of the project", async () => {
  await using folder = await makeFolder({ "supabase/functions/_shared/answer.ts": "export const mine = 1;\n" });
  assert.equal((await installIn(folder, ["--yes"])).code, 0);
  const after = await folder.readAll();
  await folder.write(
    "supabase/functions/derive-dxy/index.ts",
    after["supabase/functions/derive-dxy/index.ts"] + "// mine\n",
  );
  const again = await installIn(folder, ["--yes", "--json"]);
  assert.deepEqual(JSON.parse(again.stdout).changed, ["supabase/functions/derive-dxy/index.ts"]);
  assert.deepEqual(await folder.readAll(), after);
});

Deno.test("install and uninstall end with 2 where there is no project", async () => {
  await using folder = await makeFolder({ "a.txt": "" });
  const program = await ownProgram();
  for (const command of ["install", "uninstall"]) {
    const { code, report, stdout } = await program.run([command, "--yes", "--json"], { cwd: folder.path });
    assert.equal(code, 2, report);
    assert.match(JSON.parse(stdout).error, /has no folder supabase/);
  }
});

Deno.test("uninstall gives back the files of before, but for the migrations", async () => {
  await using folder = await makeFolder({
    "supabase/config.toml": `${CONFIG}\n[functions.hello]\nverify_jwt = true\n`,
    "supabase/functions/hello/index.ts": "Deno.serve(() => new Response());\n",
    "supabase/functions/registry-sync/README.md": "mine\n",
  });
  const before = await folder.readAll();
  const refused = await installIn(folder, ["--yes"]);
  assert.equal(refused.code, 1, refused.report);
  await Deno.remove(`${folder.path}/supabase/functions/registry-sync`, { recursive: true });
  delete before["supabase/functions/registry-sync/README.md"];
  assert.equal((await installIn(folder, ["--yes"])).code, 0);

  const program = await ownProgram();
  const { code, report } = await program.run(["uninstall", "--yes"], { cwd: folder.path });
  assert.equal(code, 0, report);
  const after = await folder.readAll();
  const [installed, uninstalled, ...others] = findMigrations(after);
  assert.deepEqual(others, []);
  assert.match(installed!, new RegExp(`_${NAME}\\.sql$`));
  assert.match(uninstalled!, /_pgbars_uninstall\.sql$/);
  for (const path of [installed!, uninstalled!]) delete after[path];
  assert.deepEqual(after, before);

  const again = await program.run(["uninstall", "--json"], { cwd: folder.path });
  assert.deepEqual(JSON.parse(again.stdout), { from: null, changed: [] });
  assert.equal((await installIn(folder, ["--yes"])).code, 0);
  assert.equal(findMigrations(await folder.readAll()).length, 3);
});
