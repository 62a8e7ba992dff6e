import assert from "node:assert/strict";

const { href } = new URL("../../scripts/dev/stop.ts", import.meta.url);

Deno.test("untilStopped() resolves at the first signal, and a later one ends the process", async () => {
  const script = `
    import { untilStopped } from "${href}";
    const stopped = untilStopped();
    console.log("ready");
    await stopped;
    console.log("asked");
    setInterval(() => {}, 1000);
  `;
  const args = ["eval", "--quiet", "--no-check", script];
  const process = new Deno.Command(Deno.execPath(), { args, stdout: "piped" }).spawn();
  let output = "";
  let again: ReturnType<typeof setInterval> | undefined;
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    output += text;
    if (output.endsWith("ready\n")) process.kill("SIGINT");
    if (output.endsWith("asked\n")) again = setInterval(() => process.kill("SIGINT"), 100);
  }
  clearInterval(again);
  assert.equal((await process.status).code, 130);
  assert.equal(output, "ready\nasked\n");
});
