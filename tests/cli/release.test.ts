import assert from "node:assert/strict";
import { run } from "../../scripts/lib/process.ts";

const TOP = ["deno.json", "deno.lock", "README.md", "CHANGELOG.md", "LICENSE"];
const FOLDERS = ["cli", "client", "docs", "functions", "model", "scripts", "supabase", "tests/sql"];

Deno.test("deno task release makes the next release, and refuses one that has no changes or is not new", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "pgbars-release-" });
  const read = (path: string) => Deno.readTextFile(`${folder}/${path}`);
  const edit = async (path: string, from: string, to: string) => {
    const text = await read(path);
    assert.ok(text.includes(from), `${path} lacks ${from}`);
    await Deno.writeTextFile(`${folder}/${path}`, text.replace(from, to));
  };
  const release = (version: string) =>
    run(Deno.execPath(), ["run", "--no-check", "--allow-all", "scripts/release.ts", version], { cwd: folder });
  try {
    for (const name of FOLDERS) await copyFolder(name, `${folder}/${name}`);
    for (const name of TOP) await Deno.copyFile(name, `${folder}/${name}`);
    await Deno.symlink(`${Deno.cwd()}/node_modules`, `${folder}/node_modules`);
    const migrations = () => [...Deno.readDirSync(`${folder}/supabase/migrations`)].map(({ name }) => name).sort();
    const before = migrations();

    await t.step(
      "it refuses without a section of the changelog, an older version, and what is no version",
      async () => {
        const problems: [string, RegExp][] = [
          ["99.0.0", /CHANGELOG\.md has no section "## 99\.0\.0, not released yet"/],
          ["next", /next is not a version/],
        ];
        await edit("CHANGELOG.md", "# Changelog\n", "# Changelog\n\n## 0.0.9, not released yet\n");
        problems.push(["0.0.9", /0\.0\.9 is not newer than /]);
        const files = [await read("deno.json"), await read("CHANGELOG.md"), migrations()];
        for (const [version, message] of problems) {
          const { code, report } = await release(version);
          assert.equal(code, 1, report);
          assert.match(report, message);
        }
        assert.deepEqual([await read("deno.json"), await read("CHANGELOG.md"), migrations()], files);
        await edit("CHANGELOG.md", "## 0.0.9, not released yet", "## 99.0.0, not released yet");
      },
    );

    await t.step("it writes version, migration, types and tarballs, and the schema is proven", async () => {
      await edit("supabase/schemas/80_dispatch/alert.table.sql", "\n);", ",\n  seen_at timestamptz\n);");
      const { code, report, stdout } = await release("99.0.0");
      assert.equal(code, 0, report);
      assert.match(stdout, /^Proved that migrations, upgrades and supabase\/schemas make one schema\.$/m);
      assert.match(await read("CHANGELOG.md"), /^## 99\.0\.0, \d{4}-\d\d-\d\d$/m);
      assert.equal(JSON.parse(await read("deno.json")).version, "99.0.0");
      assert.match(await read("cli/lib/version.ts"), /"99\.0\.0"/);
      const next = migrations().at(-1);
      assert.deepEqual(migrations().slice(0, -1), before);
      assert.match(next!, /^\d{14}_pgbars_99_0_0\.sql$/);
      const sql = await read(`supabase/migrations/${next}`);
      assert.match(sql, /seen_at/i);
      assert.match(sql, /99\.0\.0/);
      for (const name of before) {
        const path = `supabase/migrations/${name}`;
        assert.equal(await read(path), await Deno.readTextFile(path));
      }
    });

    await t.step("the program of the tarball brings both releases, and is of the new version", async () => {
      const { stdout } = await run("tar", ["--list", `--file=${folder}/dist/pgbars-99.0.0.tgz`]);
      const releases = stdout.split("\n").filter((path) => path.includes("/releases/")).sort();
      assert.deepEqual(releases, migrations().map((name) => `package/payload/releases/${name}`));
      await Deno.stat(`${folder}/dist/pgbars-client-99.0.0.tgz`);
      const version = await run(Deno.execPath(), ["run", "--allow-all", "cli/main.ts", "--version"], { cwd: folder });
      assert.equal(version.stdout, "99.0.0\n", version.report);
    });

    await t.step("the same version again is refused", async () => {
      const { code, report } = await release("99.0.0");
      assert.equal(code, 1, report);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
