import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { addFunctions, readFunction } from "../lib/config_toml.ts";
import { confirm } from "../lib/confirm.ts";
import { Refusal } from "../lib/failure.ts";
import { addJsonOption } from "../lib/options.ts";
import { type OutputOptions, printProgress, printResult } from "../lib/output.ts";
import { type EdgeFunction, readFunctions, readReleases } from "../lib/payload.ts";
import {
  applyChanges,
  type Change,
  changeTo,
  describeChanges,
  FUNCTION_MARK,
  migrationPath,
  type Project,
  readProject,
  readText,
} from "../lib/project.ts";
import { compareVersions, missingReleases, type Release, releasedVersion } from "../lib/releases.ts";
import { findObjects, type SqlObject } from "../lib/sql_objects.ts";
import { VERSION } from "../lib/version.ts";

interface InstallOptions extends OutputOptions {
  workdir: string;
  yes?: boolean;
  move?: boolean;
}

export function register(program: Command): void {
  addJsonOption(program.command("install"))
    .description(
      "Install pgbars in a project with a folder supabase, or bring it to this version: a migration after the project's own, " +
        "the Edge Functions, and their sections of config.toml.",
    )
    .option("--workdir <folder>", "the folder of the project", ".")
    .option("--yes", "do not ask")
    .option("--move", "take over the rows of tables that have the names of pgbars, and set these tables aside")
    .action(install);
}

async function install(options: InstallOptions): Promise<void> {
  const project = await readProject(resolve(options.workdir));
  const [releases, functions] = await Promise.all([readReleases(), readFunctions()]);
  if (project.installed !== undefined && compareVersions(project.installed, VERSION) > 0) {
    throw new Refusal(`The project has pgbars ${project.installed}, and this program is ${VERSION}: run a newer one.`);
  }
  await refuseTaken(project, releases, functions, options.move ?? false);

  const changes = [
    migrationTo(project, missingReleases(releases, project.installed)),
    ...await Promise.all(
      functions.flatMap(({ name, files }) =>
        Object.entries(files).map(([file, text]) => changeTo(project, `supabase/functions/${name}/${file}`, text))
      ),
    ),
    await changeTo(project, "supabase/config.toml", addFunctions(project.config, functions.map(({ name }) => name))),
  ].filter((change) => change !== null);
  const result = { version: VERSION, from: project.installed ?? null, changed: changes.map(({ path }) => path) };
  if (changes.length === 0) {
    printResult(options, result, `pgbars ${VERSION} is installed. There is nothing to do.`);
    return;
  }

  printProgress(describeChanges(changes));
  if (!options.yes) await confirm(`Install pgbars ${VERSION} in ${project.folder}?`);
  await applyChanges(project, changes);
  printResult(
    options,
    result,
    `pgbars ${VERSION} is installed in the files of the project. Now run:\n` +
      "  supabase db push --remote\n  supabase functions deploy --use-api",
  );
}

/** One migration with all releases that the project does not have; null where it has them all. */
function migrationTo(project: Project, releases: readonly Release[]): Change | null {
  const newest = releases.at(-1);
  if (newest === undefined) return null;
  const migrations = releases.flatMap((release) => release.migrations);
  const header = `-- pgbars ${newest.version}, written by \`pgbars install\`. Do not edit, and do not rename.\n`;
  const after = [header, ...migrations.map(({ version, name, sql }) => `-- ${version}_${name}.sql\n${sql}`)].join("\n");
  return { path: migrationPath(project, newest.migrations.at(-1)!.name), before: null, after };
}

/** Throws a {@link Refusal} that lists what has the names of pgbars and is not of pgbars. */
async function refuseTaken(
  project: Project,
  releases: readonly Release[],
  functions: readonly EdgeFunction[],
  mayMove: boolean,
): Promise<void> {
  const taken: string[] = [];
  for (const { name } of functions) {
    const folder = `supabase/functions/${name}`;
    const index = await readText(project.folder, `${folder}/index.ts`);
    if (existsSync(join(project.folder, folder)) && !index?.startsWith(FUNCTION_MARK)) {
      taken.push(`the folder ${folder}`);
    }
    const entrypoint = readFunction(project.config, name)?.["entrypoint"];
    if (entrypoint !== undefined) {
      taken.push(`the section [functions.${name}] of supabase/config.toml, with ${entrypoint}`);
    }
  }
  const objects = project.installed === undefined ? findTaken(project, releases) : [];
  const refused = objects.filter(({ isMovable }) => !isMovable || !mayMove);
  if (taken.length + refused.length === 0) return;
  throw new Refusal([
    "Nothing was changed. These names of pgbars are taken:",
    ...[...taken, ...refused.map(({ text }) => text)].map((line) => `  ${line}`),
    ...taken.length > 0 ? ["Rename the functions, or remove them where pgbars is to replace them."] : [],
    ...refused.some(({ isMovable }) => !isMovable) ? ["pgbars needs the schema agg for itself: rename yours."] : [],
    ...refused.some(({ isMovable }) => isMovable)
      ? [
        "With --move the migration sets these tables and functions aside (schema pgbars_before) and takes over their rows.",
      ]
      : [],
  ].join("\n"));
}

/** What the project's own migrations create, and releases of pgbars too. A move sets aside what is in the schema public. */
function findTaken(project: Project, releases: readonly Release[]): { text: string; isMovable: boolean }[] {
  const textOf = ({ kind, schema, name }: SqlObject) =>
    kind === "schema" || schema === "public" ? `${kind} ${name}` : `${kind} ${schema}.${name}`;
  const released = releases.flatMap(({ migrations }) => migrations.map(({ sql }) => sql)).join("\n");
  const ours = new Set(findObjects(released).filter(({ schema }) => schema === "public").map(textOf));
  const own = project.migrations.filter(({ name }) => releasedVersion(name) === undefined);
  const taken = new Map(
    findObjects(own.map(({ sql }) => sql).join(";\n"))
      .filter((object) => object.schema === "agg" || ours.has(textOf(object)))
      .map((object) => [textOf(object), object.schema === "public"]),
  );
  return [...taken].map(([text, isMovable]) => {
    const migration = own.findLast(({ sql }) => findObjects(sql).some((object) => textOf(object) === text))!;
    return { text: `${text}, of supabase/migrations/${migration.version}_${migration.name}.sql`, isMovable };
  });
}
