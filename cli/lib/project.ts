import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createTwoFilesPatch } from "diff";
import { Failure } from "./failure.ts";
import { type Migration, readMigrationFiles } from "./migrations.ts";
import { releasedVersion } from "./releases.ts";

/** Ends the name of a migration that removes pgbars. */
export const UNINSTALL = "pgbars_uninstall";

/** The first words of every function that pgbars writes. */
export const FUNCTION_MARK = "// pgbars ";

/** A project with a `supabase` folder. */
export interface Project {
  /** The folder that has the folder `supabase`. */
  folder: string;
  migrations: Migration[];
  /** The version that the migrations install; undefined where pgbars is not installed. */
  installed: string | undefined;
  /** The text of supabase/config.toml; empty without one. */
  config: string;
}

/** A file to write, or to remove where `after` is null. Paths are relative to the project. */
export interface Change {
  path: string;
  before: string | null;
  after: string | null;
}

export async function readProject(folder: string): Promise<Project> {
  if (!existsSync(join(folder, "supabase"))) {
    throw new Failure(
      `${folder} has no folder supabase: run \`supabase init\` there, or name the project with --workdir.`,
    );
  }
  const path = join(folder, "supabase/migrations");
  const migrations = existsSync(path) ? await readMigrationFiles(path) : [];
  const config = await readText(folder, "supabase/config.toml") ?? "";
  return { folder, migrations, installed: findInstalled(migrations), config };
}

/** The text of a file of the project; null where the file does not exist. */
export async function readText(folder: string, path: string): Promise<string | null> {
  try {
    return await readFile(join(folder, path), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** The change that leaves `after` in a file; null where it is there already. */
export async function changeTo(project: Project, path: string, after: string | null): Promise<Change | null> {
  const before = await readText(project.folder, path);
  return before === after ? null : { path, before, after };
}

/**
 * The path of a new migration. Its version is the time, or follows the newest version of the project: a file before it would
 * stop `supabase db push`. Versions have 14 digits, so that none is the beginning of another.
 */
export function migrationPath(project: Project, name: string, now = new Date()): string {
  const stamp = now.toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const newest = (project.migrations.at(-1)?.version ?? "").slice(0, 14).padEnd(14, "0");
  const version = stamp > newest ? stamp : String(BigInt(newest) + 1n);
  return `supabase/migrations/${version}_${name}.sql`;
}

/** What the changes do, for a reader: a patch of every file that the project has, and a line for any other. */
export function describeChanges(changes: readonly Change[]): string {
  return changes.map(({ path, before, after }) => {
    if (before === null) return `new      ${path} (${after!.split("\n").length - 1} lines)`;
    if (after === null) return `removed  ${path}`;
    if (before.startsWith(FUNCTION_MARK)) return `changed  ${path}`;
    return createTwoFilesPatch(path, path, before, after, undefined, undefined, { context: 3 }).trimEnd();
  }).join("\n");
}

/** Makes the changes, each file at once. The migration comes last: without it nothing else has an effect. */
export async function applyChanges(project: Project, changes: readonly Change[]): Promise<void> {
  const isMigration = ({ path }: Change) => path.endsWith(".sql");
  for (const { path, after } of [...changes].sort((a, b) => Number(isMigration(a)) - Number(isMigration(b)))) {
    const full = join(project.folder, path);
    if (after === null) {
      await rm(full);
      await rmdir(dirname(full)).catch(() => {}); // There are other files.
      continue;
    }
    await mkdir(dirname(full), { recursive: true });
    const part = `${full}.pgbars-part`;
    await writeFile(part, after);
    await rename(part, full);
  }
}

function findInstalled(migrations: readonly Migration[]): string | undefined {
  let installed: string | undefined;
  for (const { name } of migrations) installed = name === UNINSTALL ? undefined : releasedVersion(name) ?? installed;
  return installed;
}
