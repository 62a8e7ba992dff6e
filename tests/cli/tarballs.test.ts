import assert from "node:assert/strict";
import { VERSION } from "../../cli/lib/version.ts";
import { useCluster } from "../../scripts/lib/cluster.ts";
import { run } from "../../scripts/lib/process.ts";
import { packAll } from "../../scripts/pack/packages.ts";
import { checkExamples } from "../client/examples.ts";
import { ENGINES } from "../support/stack.ts";
import { makeFolder, type TestFolder } from "./folder.ts";
import { ownProgram, RELEASES } from "./program.ts";
import { stubCheck } from "./stub_check.ts";

/** What a project of each version of Node installs beside the packages: the oldest and the newest supabase-js that we support. */
const NODES = [
  { node: "20.20.2", supabase: "2.58.0" },
  { node: "22.18.0", supabase: "2.119.1" },
];
const TYPESCRIPT = "7.0.2";
const NODE_TYPES = "22.19.21";

/** As `tsc --init` writes them, for what the examples need. */
const TSCONFIG = JSON.stringify({
  compilerOptions: {
    ...{ module: "nodenext", target: "esnext", types: ["node"], outDir: "out" },
    ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: true },
  },
  include: ["*.ts"],
});

let packed: Promise<{ folder: string; paths: string[] }> | undefined;

/** Both tarballs, made once for all tests of this file. */
function pack() {
  return packed ??= (async () => {
    const folder = await Deno.makeTempDir({ prefix: "pgbars-dist-" });
    return { folder, paths: await packAll(folder) };
  })();
}

Deno.test.afterAll(async () => {
  if (packed !== undefined) await Deno.remove((await packed).folder, { recursive: true });
});

Deno.test("deno task pack makes two tarballs with the version in deno.json, and nothing that should stay here", async () => {
  const { paths, folder } = await pack();
  const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
  assert.deepEqual(paths, [`${folder}/pgbars-${version}.tgz`, `${folder}/pgbars-client-${version}.tgz`]);
  for (const path of paths) {
    const { stdout } = await run("tar", ["--list", `--file=${path}`]);
    const files = stdout.trim().split("\n");
    for (const file of ["README.md", "LICENSE", "package.json"]) assert.ok(files.includes(`package/${file}`), file);
    assert.deepEqual(files.filter((file) => /deno\.lock|node_modules|examples|test/.test(file)), []);
  }
});

for (const { node, supabase } of NODES) {
  Deno.test(`an npm project on Node ${node}: tsc accepts the docs' examples, and they and the program run`, async (test) => {
    const { paths } = await pack();
    await using folder = await makeFolder({ "package.json": `{ "type": "module" }`, "tsconfig.json": TSCONFIG });
    const runIn = async (args: string[], env: Record<string, string> = {}) => {
      const [program, ...rest] = args;
      const result = await run(program!, rest, { cwd: folder.path, env });
      assert.equal(result.code, 0, result.report);
      return result.stdout;
    };
    const npx = ["npx", "--yes", "--prefer-offline", `--package=node@${node}`];
    const program = (await runIn([...npx, "--", "node", "-p", "process.execPath"])).trim();
    const runNode = (args: string[], env?: Record<string, string>) => runIn([program, ...args], env);
    // engine-strict refuses what does not run on this version.
    await runIn([
      ...[...npx, "--package=npm@10.9.4", "--", "npm", "install", "--engine-strict"],
      ...["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", ...paths],
      ...[`@supabase/supabase-js@${supabase}`, `typescript@${TYPESCRIPT}`, `@types/node@${NODE_TYPES}`],
    ]);
    await writeExamples(folder, "node_modules/@pgbars/client/README.md");
    await runIn(["npx", "tsc"]);

    await using stack = await ENGINES["PGlite"]!();
    await checkExamples(test, stack, (name, env) => runNode([`out/${name}.js`], env));

    const pgbars = (args: string[]) => runNode(["node_modules/.bin/pgbars", ...args]);
    await test.step("pgbars check asks the Data API", async () => {
      await stubCheck(stack.db, "PASS");
      const result = JSON.parse(await pgbars(["check", "--json", "--url", stack.url, "--key", stack.keys.secret]));
      assert.equal(result.status, "PASS");
    });

    await test.step("pgbars install writes what it writes on Deno", async () => {
      await using project = await makeFolder({ "supabase/config.toml": "" });
      await using same = await makeFolder({ "supabase/config.toml": "" });
      await pgbars(["install", "--yes", "--workdir", project.path]);
      const { code, report } = await (await ownProgram()).run(["install", "--yes"], { cwd: same.path });
      assert.equal(code, 0, report);
      const readAll = async ({ readAll }: TestFolder) =>
        Object.entries(await readAll()).map(([path, text]) => [path.replace(/\d{14}/, "<version>"), text]);
      assert.deepEqual(await readAll(project), await readAll(same));
    });

    await test.step("pgbars import reads a zip file, and pgbars export writes Parquet", async () => {
      const file = new URL("../fixtures/import/HISTDATA_COM_EURUSD.zip", import.meta.url).pathname;
      const target = ["--json", "--url", stack.url, "--key", stack.keys.secret];
      assert.equal(JSON.parse(await pgbars(["import", ...target, "--shift", "0", file])).inserted, 3);
      const args = ["--symbols", "EURUSD", "--timeframe", "1m", "--format", "parquet", "--output", "bars.parquet"];
      const from = ["--from", "2026-07-01", "--to", "2026-08-02"];
      assert.equal(JSON.parse(await pgbars(["export", ...target, ...args, ...from])).rows, 3);
    });

    await test.step("pgbars migrate makes a database", async () => {
      await using cluster = await useCluster();
      const url = await cluster.createDatabase(`pgbars_${crypto.randomUUID()}`);
      const result = JSON.parse(await pgbars(["migrate", "--json", "--db", url]));
      assert.deepEqual(result, { version: VERSION, from: null, applied: RELEASES });
    });
  });
}

Deno.test("a Deno project: deno check accepts the docs' examples, and they and the program run", async (test) => {
  const { paths } = await pack();
  const { version, imports } = JSON.parse(await Deno.readTextFile("deno.json"));
  await using folder = await makeFolder({
    "deno.json": JSON.stringify({
      nodeModulesDir: "auto",
      links: ["./vendor/pgbars", "./vendor/client"],
      imports: {
        "@pgbars/client": `npm:@pgbars/client@${version}`,
        "@supabase/supabase-js": imports["@supabase/supabase-js"],
        "pgbars": `npm:pgbars@${version}`,
      },
    }),
  });
  const runIn = async (program: string, args: string[], env: Record<string, string> = {}) => {
    const result = await run(program, args, { cwd: folder.path, env });
    assert.equal(result.code, 0, result.report);
    return result.stdout;
  };
  for (const [index, name] of ["pgbars", "client"].entries()) {
    await Deno.mkdir(`${folder.path}/vendor/${name}`, { recursive: true });
    await runIn("tar", ["--extract", `--file=${paths[index]}`, "--strip-components=1", `--directory=vendor/${name}`]);
  }
  const names = await writeExamples(folder, "vendor/client/README.md");
  await runIn(Deno.execPath(), ["check", ...names.map((name) => `${name}.ts`)]);

  await using stack = await ENGINES["PGlite"]!();
  await checkExamples(test, stack, (name, env) => runIn(Deno.execPath(), ["run", "--allow-all", `${name}.ts`], env));
  assert.equal(await runIn(Deno.execPath(), ["run", "--allow-all", "npm:pgbars", "--version"]), `${version}\n`);
});

/** Writes the TypeScript that the README of the client shows into files, named by the call that each one is about. */
async function writeExamples(folder: TestFolder, readme: string): Promise<string[]> {
  const calls = {
    upsertBars: "store_bars",
    deriveDxyForWindow: "derive_dxy",
    fetchBars: "read_bars",
    // Shows getBars, too.
    subscribeBars: "subscribe_bars",
    getChanges: "as_of",
    getBars: "get_bars",
  };
  const blocks = [...(await folder.read(readme)).matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
  const names = blocks.map((code) => Object.entries(calls).find(([call]) => code.includes(`pgbars.${call}(`))![1]);
  assert.deepEqual([...names].sort(), Object.values(calls).sort());
  for (const [index, name] of names.entries()) await folder.write(`${name}.ts`, blocks[index]!);
  return names;
}
