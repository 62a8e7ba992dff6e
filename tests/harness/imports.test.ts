import assert from "node:assert/strict";
import { findImportProblems, readImports } from "../../scripts/test/imports.ts";

async function problemsOf(files: Record<string, string>): Promise<string[]> {
  const root = await Deno.makeTempDir({ prefix: "pgbars-imports-" });
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${root}/${path.replace(/\/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, text);
    }
    return findImportProblems(await readImports(root));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("findImportProblems() finds nothing where imports go one way", async () => {
  assert.deepEqual(
    await problemsOf({
      "model/a.ts": "export type A = string;",
      "scripts/lib/b.ts": 'import type { A } from "../../model/a.ts"; export const b: A = "";',
      "tests/c.ts":
        'import { b } from "../scripts/lib/b.ts"; import type { A } from "../model/a.ts"; export const c: A = b;',
    }),
    [],
  );
});

Deno.test("findImportProblems() refuses a script that imports a test", async () => {
  assert.deepEqual(
    await problemsOf({
      "scripts/soak/a.ts": 'import { b } from "../../tests/b.ts"; console.log(b);',
      "tests/b.ts": "export const b = 1;",
    }),
    ["scripts/soak/a.ts imports tests/b.ts, a test."],
  );
});

Deno.test("findImportProblems() refuses files that import each other in a circle, by their types too", async () => {
  assert.deepEqual(
    await problemsOf({
      "client/a.ts": 'import { b } from "./b.ts"; export const a = b; export interface A { a: number }',
      "client/b.ts": 'import { c } from "./c.ts"; export const b = c;',
      "client/c.ts": 'import type { A } from "./a.ts"; export const c: A = { a: 1 };',
    }),
    ["These import each other in a circle: client/a.ts -> client/b.ts -> client/c.ts -> client/a.ts"],
  );
});

Deno.test("findImportProblems() refuses folders that import each other, though no file is in a circle", async () => {
  assert.deepEqual(
    await problemsOf({
      "model/a.ts": 'import { b } from "../scripts/lib/b.ts"; export const a = b;',
      "scripts/lib/b.ts": "export const b = 1;",
      "scripts/soak/c.ts": 'import { a } from "../../model/a.ts"; console.log(a);',
    }),
    ["These import each other in a circle: model -> scripts -> model"],
  );
  assert.deepEqual(
    await problemsOf({
      "scripts/dev/a.ts": 'import { b } from "../demo/b.ts"; console.log(b);',
      "scripts/dev/c.ts": "export const c = 1;",
      "scripts/demo/b.ts": 'import { c } from "../dev/c.ts"; export const b = c;',
    }),
    ["These import each other in a circle: scripts/demo -> scripts/dev -> scripts/demo"],
  );
});
