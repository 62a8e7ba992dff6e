import assert from "node:assert/strict";

/** A module graph as `deno info --json` prints it. */
interface Graph {
  modules: { specifier: string; dependencies?: { code?: Target; type?: Target }[] }[];
}
interface Target {
  specifier?: string;
}

const FUNCTIONS = ["registry-sync", "derive-dxy", "deliver-alerts", "pgbars-metrics"];
const PROGRAMS = ["client/mod.ts", ...FUNCTIONS.map((name) => `functions/${name}/index.ts`)];

for (const path of PROGRAMS) {
  Deno.test(`no import below ${path} leads back to its own file, types included`, async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", path] }).output();
    const graph: Graph = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual(findCircle(graph), []);
  });
}

Deno.test("a circle of imports is found", () => {
  const module = (name: string, ...imports: string[]) => ({
    specifier: `file:///${name}`,
    dependencies: imports.map((target) => ({ type: { specifier: `file:///${target}` } })),
  });
  const graph = { modules: [module("a", "b", "d"), module("b", "c", "d"), module("c", "b"), module("d")] };
  assert.deepEqual(findCircle(graph), ["file:///b", "file:///c", "file:///b"]);
});

/** The files of one circle of imports, its first file twice; empty where imports form no circle. */
function findCircle({ modules }: Graph): string[] {
  const imports = new Map(modules.map(({ specifier, dependencies = [] }) => [
    specifier,
    dependencies.flatMap(({ code, type }) => [code?.specifier, type?.specifier])
      .filter((target) => target?.startsWith("file:")) as string[],
  ]));
  const done = new Set<string>();
  const follow = (file: string, path: string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of imports.get(file) ?? []) {
      const circle = follow(target, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const circle = follow(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
