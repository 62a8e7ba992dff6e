import assert from "node:assert/strict";
import { project } from "./command.ts";

// deno-lint-ignore no-control-regex
const escapes = /\x1b\[[0-9;?]*[A-Za-z]/g;

/** Runs the demo on a terminal of 80 columns, and types what `answer` makes of the output so far. */
async function demoOnTerminal(
  args: string,
  env: Record<string, string>,
  answer: (output: string) => string = () => "",
): Promise<string> {
  const command = `stty cols 80 rows 24; exec ${Deno.execPath()} task --quiet demo ${args}`;
  const terminal = new Deno.Command("script", {
    args: ["--quiet", "--return", "--command", command, "/dev/null"],
    cwd: project,
    env: { TERM: "xterm", NO_COLOR: "", COLUMNS: "", ...env },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const keyboard = terminal.stdin.getWriter();
  let output = "";
  for await (const text of terminal.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    const keys = answer(output);
    if (keys !== "") await keyboard.write(new TextEncoder().encode(keys));
  }
  await keyboard.close().catch(() => {});
  await terminal.status;
  return output;
}

Deno.test("demo moves a bar on a terminal, and Ctrl-C leaves cursor and line wrapping as they were", async () => {
  let typed = false;
  const output = await demoOnTerminal("--weeks 1", {}, (output) => {
    if (typed || !/Load +█/.test(output)) return "";
    typed = true;
    return "\x03";
  });
  assert.ok(typed, output);
  assert.doesNotMatch(output, /Catch up/);
  const modes = output.match(escapes)!.filter((escape) => /^..\?/.test(escape));
  assert.deepEqual(modes.filter((mode) => /l$/.test(mode)), [], "nothing is switched off");
});

Deno.test("demo fits a terminal of 80 columns, and is plain with NO_COLOR", async () => {
  const output = await demoOnTerminal("--weeks 1 --hours 3", { NO_COLOR: "1" });
  assert.equal(output.match(escapes), null);
  const lines = output.split("\r\n");
  assert.deepEqual(lines.filter((line) => line.length > 80), []);
  assert.ok(lines.some((line) => /^EURUSD +1h( +[\d,]+){6} +\d{4}-\d\d-\d\d \d\d:\d\d$/.test(line)), output);
});
