import { resolve } from "node:path";
import type { Command } from "commander";
import { removeFunctions } from "../lib/config_toml.ts";
import { confirm } from "../lib/confirm.ts";
import { Refusal } from "../lib/failure.ts";
import { addJsonOption } from "../lib/options.ts";
import { type OutputOptions, printProgress, printResult } from "../lib/output.ts";
import { readFunctions, readReleases } from "../lib/payload.ts";
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
  UNINSTALL,
} from "../lib/project.ts";
import { compareVersions } from "../lib/releases.ts";
import { uninstallSql } from "../lib/uninstall_sql.ts";
import { VERSION } from "../lib/version.ts";

interface UninstallOptions extends OutputOptions {
  workdir: string;
  yes?: boolean;
}

export function register(program: Command): void {
  addJsonOption(program.command("uninstall"))
    .description(
      "Remove pgbars from a project: a migration that drops everything but the tables data_bars and derived_data_bars, the " +
        "Edge Functions, and their sections of config.toml.",
    )
    .option("--workdir <folder>", "the folder of the project", ".")
    .option("--yes", "do not ask")
    .action(uninstall);
}

async function uninstall(options: UninstallOptions): Promise<void> {
  const project = await readProject(resolve(options.workdir));
  if (project.installed !== undefined && compareVersions(project.installed, VERSION) > 0) {
    throw new Refusal(`The project has pgbars ${project.installed}, and this program is ${VERSION}: run a newer one.`);
  }
  const [releases, functions] = await Promise.all([readReleases(), readFunctions()]);
  const changes: Change[] = [];
  if (project.installed !== undefined) {
    changes.push({ path: migrationPath(project, UNINSTALL), before: null, after: uninstallSql(releases) });
  }
  const removed: string[] = [];
  for (const { name, files } of functions) {
    const own = await removeFunction(project, name, Object.keys(files));
    changes.push(...own);
    if (own.length > 0) removed.push(name);
  }
  const config = await changeTo(project, "supabase/config.toml", removeFunctions(project.config, removed));
  if (config !== null && removed.length > 0) changes.push(config);

  const result = { from: project.installed ?? null, changed: changes.map(({ path }) => path) };
  if (changes.length === 0) {
    printResult(options, result, "pgbars is not installed in the project. There is nothing to do.");
    return;
  }
  printProgress(describeChanges(changes));
  if (!options.yes) await confirm(`Uninstall pgbars from ${project.folder}?`);
  await applyChanges(project, changes);
  const slugs = removed.map((name) => `\n  supabase functions delete ${name}`).join("");
  printResult(
    options,
    result,
    `pgbars is uninstalled from the files of the project. Now run:\n  supabase db push --remote${slugs}`,
  );
}

/** Removes the files of a function that pgbars wrote; nothing of another function. */
async function removeFunction(project: Project, name: string, files: readonly string[]): Promise<Change[]> {
  const folder = `supabase/functions/${name}`;
  if (!(await readText(project.folder, `${folder}/index.ts`))?.startsWith(FUNCTION_MARK)) return [];
  const changes = await Promise.all(files.map((file) => changeTo(project, `${folder}/${file}`, null)));
  return changes.filter((change) => change !== null);
}
