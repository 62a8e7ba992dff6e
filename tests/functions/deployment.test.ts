import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);
const names = [...Deno.readDirSync(new URL("functions/", root))]
  .filter(({ name, isDirectory }) => isDirectory && !name.startsWith("_"))
  .map(({ name }) => name).sort();

Deno.test("supabase/config.toml deploys every function from functions/, each checking its own key", async () => {
  const config = await Deno.readTextFile(new URL("supabase/config.toml", root));
  const sections = config.matchAll(/^\[functions\.([\w-]+)\]\n((?:\w.*\n?)*)/gm);
  const found = [...sections].map(([, name, settings]) => [name, settings!.trim().split("\n").sort()]);
  assert.deepEqual(
    found.sort(),
    names.map((name) => [name, [
      `entrypoint = "../functions/${name}/index.ts"`,
      `import_map = "../functions/${name}/deno.json"`,
      "verify_jwt = false",
    ]]),
  );
});

Deno.test("every function deploys with the versions that it is tested with", async () => {
  const readImports = async (path: string): Promise<Record<string, string>> =>
    JSON.parse(await Deno.readTextFile(new URL(path, root))).imports;
  const tested = await readImports("deno.json");
  assert.ok(names.length > 0);
  for (const name of names) {
    for (const [specifier, version] of Object.entries(await readImports(`functions/${name}/deno.json`))) {
      assert.equal(version, tested[specifier], `${name}: ${specifier}`);
      assert.match(version, /@\d+\.\d+\.\d+$/);
    }
  }
});
