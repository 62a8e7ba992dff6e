import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { run } from "../../scripts/lib/process.ts";
import { makeFolder } from "./folder.ts";
import { ownProgram } from "./program.ts";

Deno.test("pgbars --version prints the version in deno.json, and --help lists the commands; both end with 0", async () => {
  const program = await ownProgram();
  const version = await program.run(["--version"]);
  assert.deepEqual([version.code, version.stdout], [0, `${project.version}\n`]);
  const help = await program.run(["--help"]);
  assert.equal(help.code, 0, help.report);
  for await (const { name } of Deno.readDir("cli/commands")) {
    assert.match(help.stdout, new RegExp(`^  ${name.replace(".ts", "").replaceAll("_", "-")} `, "m"));
  }
});

Deno.test("pgbars ends with 2 without a command, for an unknown one, and for an unknown option", async () => {
  const program = await ownProgram();
  for (const args of [[], ["nothing"], ["install", "--nothing"], ["install", "more"]]) {
    const { code, report, stdout } = await program.run(args);
    assert.equal(code, 2, report);
    assert.equal(stdout, "");
  }
});

Deno.test("deno task pgbars works on the folder in which it is called", async () => {
  await using folder = await makeFolder({ "supabase/config.toml": "" });
  const args = ["task", `--config=${Deno.cwd()}/deno.json`, "pgbars", "install", "--yes", "--json"];
  const { code, stdout, report } = await run(Deno.execPath(), args, {
    cwd: folder.path,
    // npx sets it, and it is that of this test otherwise.
    env: { INIT_CWD: folder.path },
  });
  assert.equal(code, 0, report);
  const written = Object.keys(await folder.readAll()).filter((path) => path !== "supabase/config.toml");
  for (const folder of ["supabase/migrations/", "functions/"]) {
    assert.ok(written.some((path) => path.includes(folder)), `nothing below ${folder} in ${written}`);
  }
  assert.deepEqual(
    JSON.parse(stdout).changed.filter((path: string) => path !== "supabase/config.toml").sort(),
    written,
  );
});
