import { run } from "../lib/process.ts";
import { listFiles } from "./files.ts";
import { writePayload } from "./payload.ts";

const ROOT = new URL("../../", import.meta.url);

/** Where the tarballs go, unless a caller says otherwise. */
export const DIST = new URL("dist/", ROOT).pathname;

interface PackageJson {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  [field: string]: unknown;
}

/** A folder of the project that becomes an npm package. */
interface Package {
  name: string;
  /** Relative to the project. */
  folder: string;
  description: string;
  entry: string;
  /** Names below `folder` that stay out. */
  without: string[];
  /** Where the text of its README is. */
  readme: string;
  /** What `deno pack` does not write into package.json. */
  complete?(packageJson: PackageJson): void;
}

const PACKAGES: readonly Package[] = [
  {
    name: "pgbars",
    folder: "cli",
    description: "Installs and looks after market bars that a Supabase Postgres keeps",
    entry: "./main.ts",
    without: [],
    readme: "cli/README.md",
    complete: (packageJson) => {
      for (const field of ["main", "types", "exports"]) delete packageJson[field];
      packageJson["bin"] = { pgbars: "./main.js" };
      packageJson["engines"] = { node: ">=20" };
    },
  },
  {
    name: "@pgbars/client",
    folder: "client",
    description: "A typed client over supabase-js for market bars that a Supabase Postgres keeps",
    entry: "./mod.ts",
    without: ["examples"],
    readme: "docs/client.md",
    // It imports types alone: the client is the caller's.
    complete: (packageJson) => packageJson["peerDependencies"] = { "@supabase/supabase-js": "^2.58.0" },
  },
];

/**
 * Writes the npm tarballs of both packages, `pgbars-<version>.tgz` and `pgbars-client-<version>.tgz`, and returns their paths.
 * `deno pack` makes JavaScript and types; npm packs them with the rest of package.json.
 */
export async function packAll(target: string = DIST): Promise<string[]> {
  await writePayload();
  await Deno.mkdir(target, { recursive: true });
  const paths: string[] = [];
  for (const one of PACKAGES) paths.push(await pack(one, target));
  return paths;
}

async function pack(one: Package, target: string): Promise<string> {
  const stage = await Deno.makeTempDir({ prefix: "pgbars-pack-" });
  try {
    await copyFolder(one, `${stage}/source`);
    await Deno.writeTextFile(`${stage}/source/README.md`, await readReadme(one));
    await Deno.copyFile(new URL("LICENSE", ROOT), `${stage}/source/LICENSE`);
    await Deno.writeTextFile(`${stage}/source/deno.json`, JSON.stringify(await configure(one)));
    const tarball = `${stage}/packed.tgz`;
    await check(
      Deno.execPath(),
      ["pack", "--quiet", "--no-source-maps", "--allow-dirty", `--output=${tarball}`],
      `${stage}/source`,
    );
    await check("tar", ["--extract", `--file=${tarball}`, `--directory=${stage}`]);
    await complete(one, `${stage}/package/package.json`);
    const stdout = await check(
      "npm",
      ["pack", "--json", "--ignore-scripts", `--pack-destination=${target}`],
      `${stage}/package`,
    );
    const [{ filename }] = JSON.parse(stdout);
    return `${target.replace(/\/$/, "")}/${filename}`;
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

async function copyFolder({ folder, without }: Package, target: string): Promise<void> {
  for (const path of await listFiles(new URL(`${folder}/`, ROOT))) {
    if (without.some((name) => path.startsWith(`${name}/`))) continue;
    const to = `${target}/${path}`;
    await Deno.mkdir(to.slice(0, to.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(new URL(`${folder}/${path}`, ROOT), to);
  }
}

/** The deno.json of a package: the project's, with those imports that the package has. */
async function configure({ name, folder, entry }: Package): Promise<Record<string, unknown>> {
  const { version, imports, compilerOptions } = await readProject();
  return {
    // `deno pack` asks for a scope. `complete` takes it away again.
    name: name.startsWith("@") ? name : `@pgbars/${name}`,
    version,
    license: "Apache-2.0",
    exports: entry,
    imports: Object.fromEntries(await findImports(folder, imports)),
    compilerOptions,
    publish: { include: ["."] },
  };
}

async function complete(one: Package, path: string): Promise<void> {
  const packageJson: PackageJson = JSON.parse(await Deno.readTextFile(path));
  packageJson.name = one.name;
  packageJson["description"] = one.description;
  const { imports } = await readProject();
  const { dependencies } = packageJson;
  // `deno pack` writes ranges. The versions that were tested are exact.
  for (const name in dependencies) {
    // Types are for building alone.
    if (name.startsWith("@types/")) delete dependencies[name];
    else dependencies[name] = imports[name]!.replace(/^npm:.+@/, "");
  }
  one.complete?.(packageJson);
  await Deno.writeTextFile(path, `${JSON.stringify(packageJson, null, 2)}\n`);
}

async function readProject(): Promise<{ version: string; imports: Record<string, string>; compilerOptions: unknown }> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
}

/** Those of `imports` that a file of the package imports. */
async function findImports(folder: string, imports: Record<string, string>): Promise<[string, string][]> {
  const files = await listFiles(new URL(`${folder}/`, ROOT));
  const texts = await Promise.all(
    files.filter((path) => path.endsWith(".ts") && !path.startsWith("payload/"))
      .map((path) => Deno.readTextFile(new URL(`${folder}/${path}`, ROOT))),
  );
  // A part of a package is named by its path, as csv-stringify/sync is; types stand in a comment.
  const ways = (name: string) => [` from "${name}"`, ` from "${name}/`, `@ts-types="${name}"`];
  return Object.entries(imports).filter(([name]) => texts.some((text) => ways(name).some((way) => text.includes(way))));
}

async function readReadme({ name, readme }: Package): Promise<string> {
  const text = await Deno.readTextFile(new URL(readme, ROOT));
  return text.replaceAll(`from "../mod.ts"`, `from "${name}"`);
}

async function check(program: string, args: string[], cwd?: string): Promise<string> {
  const { code, stdout, report } = await run(program, args, cwd === undefined ? {} : { cwd });
  if (code !== 0) throw new Error(report);
  return stdout;
}
