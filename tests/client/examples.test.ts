import assert from "node:assert/strict";
import { run } from "../../scripts/lib/process.ts";
import { ENGINES } from "../support/stack.ts";
import { checkExamples } from "./examples.ts";

const FOLDER = "client/examples";

/** How to run a file; Node is the first version that reads TypeScript as it is, whatever version the machine has. */
const RUNTIMES: Record<string, string[]> = {
  Deno: [Deno.execPath(), "run", "--quiet", "--no-check", "--allow-env", "--allow-net"],
  Node: ["npx", "--yes", "--prefer-offline", "node@22.18.0"],
};

for (const [runtime, [program, ...args]] of Object.entries(RUNTIMES)) {
  Deno.test(`the examples print what they do (${runtime})`, async (test) => {
    await using stack = await ENGINES["PGlite"]!();
    await checkExamples(test, stack, async (name, env) => {
      const { code, stdout, report } = await run(program!, [...args, `${FOLDER}/${name}.ts`], { env });
      assert.equal(code, 0, report);
      return stdout;
    });
  });
}

Deno.test("docs/client.md shows every example as it is, and no other TypeScript", async () => {
  const page = await Deno.readTextFile("docs/client.md");
  const shown = [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code!);
  const examples: string[] = [];
  for await (const { name } of Deno.readDir(FOLDER)) examples.push(await Deno.readTextFile(`${FOLDER}/${name}`));
  assert.deepEqual(shown.sort(), examples.sort());
});
