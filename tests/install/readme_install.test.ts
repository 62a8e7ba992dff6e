import assert from "node:assert/strict";
import { readMigrations } from "../../scripts/lib/migrations.ts";
import { openLinkedProject } from "./linked_project.ts";

Deno.test("the shell lines of README's install bring the migrations to the linked project", async () => {
  await using project = await openLinkedProject();
  const { code, report } = await project.runLines(await readInstall(project.ref));
  assert.equal(code, 0, report);
  const applied = await project.db.query<{ version: string }>(
    "select m.version from supabase_migrations.schema_migrations as m order by m.version",
  );
  assert.deepEqual(applied.map(({ version }) => version), (await readMigrations()).map(({ version }) => version));
  const jobs = await project.db.query("select from cron.job as j where j.jobname like 'pgbars:%'");
  assert.equal(jobs.length, 2);
});

Deno.test("without --remote the same lines go to the local stack, and not to the linked project", async () => {
  await using project = await openLinkedProject();
  const lines = await readInstall(project.ref);
  assert.match(lines, / db push --remote$/m);
  const { code, report } = await project.runLines(lines.replace(" --remote", ""));
  assert.notEqual(code, 0);
  assert.match(report, /Finished supabase link/);
  assert.ok(report.includes(`ECONNREFUSED ${project.localAddress}`), report);
  const [row] = await project.db.query<{ found: boolean }>(
    "select to_regnamespace('supabase_migrations') is not null as found",
  );
  assert.equal(row!.found, false);
});

Deno.test("a project with migrations of its own refuses the push from a clone in the words of docs/install.md, and stays as it is", async () => {
  await using project = await openLinkedProject();
  await project.db.exec(`
    create schema supabase_migrations;
    create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
    insert into supabase_migrations.schema_migrations values ('20260101000000', '{}', 'own');
  `);
  const { code, report } = await project.runLines(await readInstall(project.ref));
  assert.notEqual(code, 0);
  const [, words] = /^"([^"]+)" says that the project/m.exec(await Deno.readTextFile("docs/install.md")) ?? [];
  assert.ok(words !== undefined && report.includes(words), report);
  const [row] = await project.db.query<{ found: boolean }>("select to_regnamespace('agg') is not null as found");
  assert.equal(row!.found, false);
});

/** The shell block of README that links a project, as it stands, for the project `ref`. */
async function readInstall(ref: string): Promise<string> {
  const readme = await Deno.readTextFile("README.md");
  const blocks = [...readme.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, lines]) => lines!);
  const install = blocks.filter((lines) => lines.includes(" link --project-ref YOUR_PROJECT"));
  assert.equal(install.length, 1, "README must have one shell block that links a project");
  return install[0]!.replaceAll("YOUR_PROJECT", ref);
}
