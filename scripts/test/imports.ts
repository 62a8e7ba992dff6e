import { posix } from "node:path";
import { z } from "zod";
import { run } from "../lib/process.ts";
import { oneCheck, type StepResult } from "../lib/result.ts";
import { findFiles } from "./files.ts";

/** Folders with TypeScript. */
export const CODE_FOLDERS = ["cli", "client", "dashboard", "functions", "model", "scripts", "tests"];

/** For each file the files that it imports, types included. Paths are relative to the project. */
export type Imports = ReadonlyMap<string, readonly string[]>;

const dependency = z.object({ specifier: z.string().optional() }).optional();
const graph = z.object({
  modules: z.array(z.object({
    specifier: z.string(),
    dependencies: z.array(z.object({ code: dependency, type: dependency })).default([]),
  })),
});

/** One check: no script imports a test, and neither files nor folders import each other in a circle. */
export async function checkImports(): Promise<StepResult> {
  const problems = findImportProblems(await readImports(Deno.cwd()));
  return oneCheck(problems.length === 0, problems.join("\n"));
}

/** Reads what the TypeScript files of the project in the folder `root` import from each other. */
export async function readImports(root: string): Promise<Imports> {
  const files = (await Promise.all(
    CODE_FOLDERS.flatMap((folder) => [".ts", ".tsx"].map((suffix) => findFiles(`${root}/${folder}`, suffix))),
  )).flat();
  const entry = await Deno.makeTempFile({ prefix: "pgbars-imports-", suffix: ".ts" });
  try {
    await Deno.writeTextFile(entry, files.map((file) => `import ${JSON.stringify(`file://${file}`)};\n`).join(""));
    const { code, stdout, report } = await run(Deno.execPath(), ["info", "--json", "--config=deno.json", entry]);
    if (code !== 0) throw new Error(report);
    const prefix = `file://${root}/`;
    return new Map(
      graph.parse(JSON.parse(stdout)).modules
        .filter(({ specifier }) => specifier.startsWith(prefix))
        .map(({ specifier, dependencies }) => [
          specifier.slice(prefix.length),
          dependencies.map(({ code, type }) => (code ?? type)?.specifier ?? "")
            .filter((imported) => imported.startsWith(prefix))
            .map((imported) => imported.slice(prefix.length)),
        ]),
    );
  } finally {
    await Deno.remove(entry);
  }
}

/** A sentence for each import that the project does not allow, and for a circle of files or of folders. */
export function findImportProblems(imports: Imports): string[] {
  const problems: string[] = [];
  for (const [file, imported] of imports) {
    if (!file.startsWith("scripts/")) continue;
    for (const path of imported) if (path.startsWith("tests/")) problems.push(`${file} imports ${path}, a test.`);
  }
  const depths = Math.max(0, ...[...imports.keys()].map((file) => file.split("/").length - 1));
  const circles = [
    findCircle(imports),
    ...Array.from({ length: depths }, (_, index) => findCircle(importsOfFolders(imports, index + 1))),
  ];
  for (const circle of new Set(circles.filter((circle) => circle !== undefined).map((circle) => circle.join(" -> ")))) {
    problems.push(`These import each other in a circle: ${circle}`);
  }
  return problems;
}

/** What folders import from each other, where a folder stands for every folder below it from `depth` on. */
function importsOfFolders(imports: Imports, depth: number): Imports {
  const folderOf = (file: string) => posix.dirname(file).split("/").slice(0, depth).join("/");
  const folders = new Map<string, string[]>();
  for (const [file, imported] of imports) {
    const folder = folderOf(file);
    const others = imported.map(folderOf).filter((other) => other !== folder);
    folders.set(folder, [...folders.get(folder) ?? [], ...others]);
  }
  return folders;
}

/** The first circle found, from one of its members back to it. */
function findCircle(imports: Imports): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of imports.get(node) ?? []) {
      const circle = visit(next, [...path, node]);
      if (circle) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of imports.keys()) {
    const circle = visit(node, []);
    if (circle) return circle;
  }
  return undefined;
}
