import assert from "node:assert/strict";
import { supabase } from "../../scripts/lib/supabase.ts";
import { ACCESS_TOKEN, serveManagementApi } from "../support/management_api.ts";
import { answerDeployment, type Upload } from "./uploads.ts";

const root = new URL("../../", import.meta.url);
const names = listNames("functions/");

Deno.test("supabase functions deploy uploads every function with exactly the files it needs, and no check of a JWT", async () => {
  const uploads: Upload[] = [];
  await using api = await serveManagementApi((request) => answerDeployment(request, uploads));
  Deno.env.set("SUPABASE_ACCESS_TOKEN", ACCESS_TOKEN);
  try {
    const { code, report } = await supabase("abcdefghijklmnopqrst", [
      "functions",
      "deploy",
      "--use-api",
      `--profile=${api.profile}`,
      `--workdir=${root.pathname}`,
    ]);
    assert.equal(code, 0, report);
  } finally {
    Deno.env.delete("SUPABASE_ACCESS_TOKEN");
  }
  const expected = names.filter((name) => name !== "_shared").map((name) => ({
    slug: name,
    files: { ...readShared(name), ...readFiles(`functions/${name}/`) },
    metadata: {
      name,
      entrypoint_path: `functions/${name}/index.ts`,
      import_map_path: `functions/${name}/deno.json`,
      static_patterns: [],
      verify_jwt: false,
    },
  }));
  assert.equal(expected.length, 4);
  assert.deepEqual(uploads.sort((a, b) => a.slug < b.slug ? -1 : 1), expected);
});

Deno.test("every function deploys with the versions that it is tested with", async () => {
  const readImports = async (path: string): Promise<Record<string, string>> =>
    JSON.parse(await Deno.readTextFile(new URL(path, root))).imports;
  const tested = await readImports("deno.json");
  for (const name of names.filter((name) => name !== "_shared")) {
    for (const [specifier, version] of Object.entries(await readImports(`functions/${name}/deno.json`))) {
      assert.equal(version, tested[specifier], `${name}: ${specifier}`);
      assert.match(version, /@\d+\.\d+\.\d+$/);
    }
  }
});

/** Contents of those files of `_shared` that a function imports, directly or not, by their path. */
function readShared(name: string): Record<string, string> {
  const shared = readFiles("functions/_shared/");
  const found: Record<string, string> = {};
  const follow = (text: string) => {
    for (const [, file] of text.matchAll(/ from "(?:\.\.\/_shared|\.)\/(\w+\.ts)"/g)) {
      const path = `functions/_shared/${file}`;
      if (path in found || shared[path] === undefined) continue;
      follow(found[path] = shared[path]);
    }
  };
  Object.values(readFiles(`functions/${name}/`)).forEach(follow);
  return found;
}

/** Contents of the files in a folder, by their path. */
function readFiles(folder: string): Record<string, string> {
  const paths = listNames(folder).map((name) => folder + name);
  return Object.fromEntries(paths.map((path) => [path, Deno.readTextFileSync(new URL(path, root))]));
}

function listNames(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].map(({ name }) => name).sort();
}
