import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
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
