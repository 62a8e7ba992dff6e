import { compareVersions, releasedVersion } from "../../cli/lib/releases.ts";
import { readMigrations } from "../lib/migrations.ts";
import { packAll } from "../pack/packages.ts";
import { writeMigration } from "../schema/generate.ts";
import { proveSchema } from "../schema/proof.ts";
import { TestContext } from "../test/context.ts";
import { writeGenerated } from "../test/generated.ts";

/** The files that say the version. The first group of each pattern stays. */
const VERSIONED: readonly { path: string; pattern: RegExp }[] = [
  { path: "deno.json", pattern: /("version": ")[^"]*/ },
  { path: "cli/lib/version.ts", pattern: /(VERSION = ")[^"]*/ },
  { path: "supabase/schemas/10_foundation/version.sql", pattern: /(')\d+\.\d+\.\d+(?=')/ },
  { path: "docs/install.md", pattern: /(pgbars-)\d+\.\d+\.\d+(?=\.tgz)/g },
];

const CHANGELOG = "CHANGELOG.md";

/**
 * Makes the release `version` in the project of the current folder: the date in the changelog, the version, the migration that
 * ends the release, generated files, the proof of the schema, and the tarballs. Returns a line about each. Commits nothing.
 * Throws where the changelog has no section for it, and where it is not newer than the releases before.
 */
export async function release(version: string, today = new Date()): Promise<string[]> {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${version} is not a version such as 1.2.3`);
  await datedChangelog(version, today);
  await refuseOlder(version);

  const lines: string[] = [];
  await Deno.writeTextFile(CHANGELOG, await datedChangelog(version, today));
  for (const { path, pattern } of VERSIONED) {
    const text = await Deno.readTextFile(path);
    if (!pattern.test(text)) throw new Error(`${path} does not say a version`);
    await Deno.writeTextFile(path, text.replace(pattern, `$1${version}`));
  }
  lines.push(`Wrote the version to ${[CHANGELOG, ...VERSIONED.map(({ path }) => path)].join(", ")}.`);

  await using context = new TestContext({ paths: [], accept: false });
  const cluster = await context.cluster();
  lines.push(`Wrote ${await writeMigration(cluster, `pgbars_${version.replaceAll(".", "_")}`)}.`);
  lines.push(`Wrote ${(await writeGenerated(context)).join(" and ")}.`);

  const { failed, output } = await proveSchema(cluster);
  if (failed > 0) throw new Error(output);
  lines.push("Proved that migrations, upgrades and supabase/schemas make one schema.");

  for (const path of await packAll()) lines.push(`Wrote ${path}.`);
  return lines;
}

/** The changelog with the date of a version. */
async function datedChangelog(version: string, today: Date): Promise<string> {
  const text = await Deno.readTextFile(CHANGELOG);
  const heading = `## ${version}, not released yet\n`;
  if (!text.includes(heading)) throw new Error(`${CHANGELOG} has no section "${heading.trim()}"`);
  return text.replace(heading, `## ${version}, ${today.toISOString().slice(0, 10)}\n`);
}

async function refuseOlder(version: string): Promise<void> {
  const released = (await readMigrations()).map(({ name }) => releasedVersion(name)).filter((name) =>
    name !== undefined
  );
  const newest = released.at(-1)!;
  if (compareVersions(version, newest) <= 0) throw new Error(`${version} is not newer than ${newest}`);
}
