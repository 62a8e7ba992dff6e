import { FUNCTION_MARK } from "../../cli/lib/project.ts";
import { VERSION } from "../../cli/lib/version.ts";
import { run } from "../lib/process.ts";
import { listFiles } from "./files.ts";

const ROOT = new URL("../../", import.meta.url);
const PAYLOAD = new URL("cli/payload/", ROOT);

/**
 * Writes what `pgbars` brings, into `cli/payload`: the migrations as they are, and each Edge Function as one file beside its
 * deno.json. Files that are right already stay untouched, so that the program may run meanwhile.
 */
export async function writePayload(): Promise<void> {
  const files = new Map([...await readMigrations(), ...await bundleFunctions()]);
  for (const [path, text] of files) await writeIfChanged(path, text);
  const old = (await listFiles(PAYLOAD)).filter((path) => !files.has(path));
  await Promise.all(old.map((path) => Deno.remove(new URL(path, PAYLOAD)).catch(ignoreMissing)));
}

async function readMigrations(): Promise<[string, string][]> {
  const folder = new URL("supabase/migrations/", ROOT);
  const names = (await listFiles(folder)).filter((name) => name.endsWith(".sql"));
  return await Promise.all(names.map(async (name): Promise<[string, string]> => [
    `releases/${name}`,
    await Deno.readTextFile(new URL(name, folder)),
  ]));
}

async function bundleFunctions(): Promise<[string, string][]> {
  const folder = new URL("functions/", ROOT);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => !name.startsWith("_"));
  const files = await Promise.all(names.map(async (name): Promise<[string, string][]> => {
    const config = await Deno.readTextFile(new URL(`${name}/deno.json`, folder));
    return [
      [`functions/${name}/index.ts`, await bundle(name, Object.keys(JSON.parse(config).imports))],
      [`functions/${name}/deno.json`, config],
    ];
  }));
  return files.flat();
}

/** A function as one file, which imports nothing but the npm packages of its deno.json. */
async function bundle(name: string, packages: string[]): Promise<string> {
  const output = await Deno.makeTempFile({ prefix: "pgbars-", suffix: ".js" });
  try {
    const { code, report } = await run(Deno.execPath(), [
      ...["bundle", "--quiet", "--no-lock", "--platform=deno", `--config=functions/${name}/deno.json`],
      ...packages.flatMap((specifier) => ["--external", specifier]),
      ...[`--output=${output}`, `functions/${name}/index.ts`],
    ], { cwd: ROOT.pathname });
    if (code !== 0) throw new Error(report);
    return `${FUNCTION_MARK}${VERSION}: functions/${name}, bundled. ${NOTICE}\n${await Deno.readTextFile(output)}`;
  } finally {
    await Deno.remove(output);
  }
}

const NOTICE = "`pgbars install` writes this file; do not edit it.\n" +
  "// deno-lint-ignore-file\n// deno-fmt-ignore-file\n// @ts-nocheck\n";

async function writeIfChanged(path: string, text: string): Promise<void> {
  const file = new URL(path, PAYLOAD);
  if (await Deno.readTextFile(file).catch(ignoreMissing) === text) return;
  // Other processes may do the same at this time. They must not see a part of a file.
  const part = new URL(`dist/${crypto.randomUUID()}.part`, ROOT);
  await Deno.mkdir(new URL(".", part), { recursive: true });
  await Deno.mkdir(new URL(".", file), { recursive: true });
  await Deno.writeTextFile(part, text);
  await Deno.rename(part, file);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
