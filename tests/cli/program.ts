import { splitReleases } from "../../cli/lib/releases.ts";
import { type Migration, readMigrations } from "../../scripts/lib/migrations.ts";
import { run, type RunResult } from "../../scripts/lib/process.ts";
import { writePayload } from "../../scripts/pack/payload.ts";

const releases = splitReleases(await readMigrations());

/** The versions of all releases, oldest first. */
export const RELEASES = releases.map(({ version }) => version);

/** The migrations of these releases, which are those that the program brings: without what is not released yet. */
export function releasedMigrations(): Migration[] {
  return releases.flatMap(({ migrations }) => migrations);
}

/** A version that is not released yet. */
export const LATER = "99.0.0";

/** How the name of the migration of a version ends. */
export function releaseName(version: string): string {
  return `pgbars_${version.replaceAll(".", "_")}`;
}

const ROOT = new URL("../../", import.meta.url);

export interface Program {
  /** Runs one command in a folder, with `input` as what a user types. The environment names no database. */
  run(args: string[], options?: { cwd?: string; env?: Record<string, string>; input?: string }): Promise<RunResult>;
  /** Starts one command, whose standard output can be read while it runs. */
  start(args: string[]): Deno.ChildProcess;
}

/** The program as `deno task pgbars` runs it. */
export async function ownProgram(): Promise<Program> {
  await writePayload();
  return programIn(ROOT);
}

/** The program of the version {@link LATER}: as it is today, with one more migration, which ends that release. */
export async function laterProgram(sql: string): Promise<Program & AsyncDisposable> {
  await writePayload();
  const folder = new URL(`file://${await Deno.makeTempDir({ prefix: "pgbars-later-" })}/`);
  await copyFolder(new URL("cli/", ROOT), new URL("cli/", folder));
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  await Deno.writeTextFile(new URL("deno.json", folder), JSON.stringify({ ...config, lock: false }));
  await Deno.symlink(new URL("node_modules", ROOT), new URL("node_modules", folder));
  await Deno.writeTextFile(new URL("cli/lib/version.ts", folder), `export const VERSION = "${LATER}";\n`);
  const name = `20991231235959_${releaseName(LATER)}`;
  await Deno.writeTextFile(new URL(`cli/payload/releases/${name}.sql`, folder), sql);
  return {
    ...programIn(folder),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** SQL of a release that only says its version, {@link LATER}. */
export const LATER_SQL = `create or replace function agg.version() returns text language sql immutable parallel safe
    set search_path = pg_catalog, pg_temp as $$ select '${LATER}'; $$;\n`;

function programIn(root: URL): Program {
  const command = [
    ...["run", "--quiet", "--no-check", "--allow-all", `--config=${new URL("deno.json", root).pathname}`],
    new URL("cli/main.ts", root).pathname,
  ];
  const none = Object.fromEntries(VARIABLES.map((name) => [name, ""]));
  return {
    run: (args, { cwd, env, input } = {}) =>
      run(Deno.execPath(), [...command, ...args], {
        env: { ...none, ...env },
        ...(cwd !== undefined && { cwd }),
        ...(input !== undefined && { input }),
      }),
    start: (args) =>
      new Deno.Command(Deno.execPath(), { args: [...command, ...args], env: none, stdin: "null", stdout: "piped" })
        .spawn(),
  };
}

const VARIABLES = [
  ...["PGBARS_DB", "DATABASE_URL", "SUPABASE_URL"],
  ...["SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"],
];

async function copyFolder(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(new URL(`${name}/`, from), new URL(`${name}/`, to));
    else await Deno.copyFile(new URL(name, from), new URL(name, to));
  }
}
