import assert from "node:assert/strict";
import { demo, project } from "./command.ts";

Deno.test("demo refuses options that do not go together, and says why", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--db", "postgres://127.0.0.1/x", "--keep", "x"], /'--db <url>' cannot be used with option '--keep <dir>'/],
    [["--data", "x", "--weeks", "2"], /'--weeks <n>' cannot be used with option '--data <dir>'/],
    [["--data", "x", "--seed", "2"], /'--seed <n>' cannot be used with option '--data <dir>'/],
    [["--once", "--hours", "2"], /'--hours <n>' cannot be used with option '--once'/],
    [["--weeks", "0"], /'0' is invalid\. Give a whole number from 1 to 8/],
    [["--seed", "1.5"], /'1\.5' is invalid/],
    [["--sql", "select 1"], /'--sql <query>' needs '--keep <dir>' or '--db <url>'/],
    [["--keep", project.pathname], /the folder holds other files/],
    [["--db", "postgres://127.0.0.1:1/x"], /--db: cannot connect/],
    [["more"], /too many arguments/],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, stderr } = await demo(...args);
    assert.match(stderr, message);
    assert.equal(code, 1);
  }));
});
