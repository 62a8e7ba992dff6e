import assert from "node:assert/strict";
import { openEngine } from "../support/engine.ts";

const README = new URL("../../README.md", import.meta.url);

/** The fenced blocks of README's section "Make a bar": SQL, and what the statement above prints. */
async function readBlocks(): Promise<{ language: string; text: string }[]> {
  const [, section] = /^## Make a bar\n([^]*?)^## /m.exec(await Deno.readTextFile(README)) ?? [];
  assert.ok(section, "README has a section Make a bar");
  return [...section.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, text]) => ({
    language: language!,
    text: text!,
  }));
}

async function psql(url: string, binDir: string, sql: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(`${binDir}/psql`, {
    args: [
      "--no-psqlrc",
      "--quiet",
      "--set=ON_ERROR_STOP=1",
      `--dbname=${url}`,
      "--command=set timezone to 'UTC'",
      `--command=${sql}`,
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const withoutSpaceAtEnds = (text: string) => text.split("\n").map((line) => line.trimEnd()).join("\n");

Deno.test("README's first example prints the bars that README shows", async () => {
  await using engine = await openEngine();
  let printed = "";
  let shown = 0;
  for (const { language, text } of await readBlocks()) {
    if (language === "sql") {
      printed = withoutSpaceAtEnds(await psql(engine.url, engine.cluster.binDir, text));
    } else if (language === "") {
      assert.ok(printed.includes(withoutSpaceAtEnds(text)), `README shows\n${text}\nbut psql prints\n${printed}`);
      shown++;
    }
  }
  assert.equal(shown, 2);
});
