import assert from "node:assert/strict";
import { dirname } from "node:path";
import { serveStack } from "../../scripts/lib/stack/stack.ts";
import { waitUntil } from "../support/wait.ts";

Deno.test("functions run as on the platform, however they are written", async (test) => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  await using folder = await makeFolder({
    "exported/index.ts":
      `export default { word: "hi", fetch(request) { return new Response(this.word + request.url) } };`,
    "served/index.ts": `Deno.serve(() => new Response("served"));`,
    "with_options/index.ts": `const server = Deno.serve({ port: ${port} }, () => new Response("options"));
      await Promise.race([server.finished, 1]);`,
    "with_handler/index.ts": `Deno.serve({ port: ${port}, handler: () => new Response("handler") });`,
    "own_imports/index.ts": `import { word } from "words"; export default { fetch: () => new Response(word) };`,
    "own_imports/deno.json": `{ "imports": { "words": "../_shared/words.ts" } }`,
    "_shared/words.ts": `export const word = "shared";`,
    "thrower/index.ts": `Deno.serve(() => { throw new Error("secret") });`,
    "forgetful/index.ts": `Deno.serve(() => {});`,
    "leaver/index.ts": `let calls = 0; Deno.serve((request) => {
      if (request.url.endsWith("?leave")) Deno.exit(3);
      return new Response(String(++calls));
    });`,
    "early_leaver/index.ts": `Deno.exit(0);`,
    "empty/index.ts": `export const nothing = 1;`,
    "broken/index.ts": `import "./nothing.ts";`,
    "environment/index.ts": `export default { fetch: () => Response.json([
      "SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY", "OTHER",
    ].map((name) => Deno.env.get(name))) };`,
  });
  const stack = await serveStack(() => new Response(), { folder: folder.path, env: { OTHER: "other" } });
  await using _stack = stack;
  const call = async (path: string) => {
    const answer = await fetch(`${stack.url}/functions/v1/${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  const code = async (path: string) => {
    const [, status, body] = /^(\d+) (.*)$/.exec(await call(path))!;
    return `${status} ${JSON.parse(body!).code}`;
  };

  await test.step("with a default export, which sees its name first in the path", async () => {
    assert.match(await call("exported/a/b?c=d"), /^200 hihttp:\/\/127\.0\.0\.1:\d+\/exported\/a\/b\?c=d$/);
  });

  await test.step("with Deno.serve, which opens no port", async () => {
    assert.equal(await call("served"), "200 served");
    assert.equal(await call("with_options"), "200 options");
    assert.equal(await call("with_handler"), "200 handler");
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  });

  await test.step("with a deno.json of their own, and what the platform has in the environment", async () => {
    assert.equal(await call("own_imports"), "200 shared");
    const { publishable, secret } = stack.keys;
    assert.equal(await call("environment"), `200 ${JSON.stringify([stack.url, publishable, secret, "other"])}`);
  });

  await test.step("and fail alone, in JSON", async () => {
    assert.equal(await code("thrower"), "500 WORKER_ERROR");
    assert.equal(await code("forgetful"), "500 WORKER_ERROR");
    for (const name of ["early_leaver", "empty", "broken"]) assert.equal(await code(name), "503 BOOT_ERROR", name);
    for (const name of ["nothing", "_shared", "constructor"]) assert.equal(await code(name), "404 NOT_FOUND", name);
    assert.deepEqual([await call("leaver"), await call("leaver")], ["200 1", "200 2"]);
    assert.equal(await code("leaver?leave"), "503 BOOT_ERROR");
    await waitUntil(async () => await call("leaver") === "200 1");
  });
});

Deno.test("a function that does not finish loading holds up no other, is replaced, and ends with the stack", async () => {
  await using folder = await makeFolder({
    "waiting/index.ts": `await new Promise(() => setTimeout(() => {}, 1e9));`,
    "busy/index.ts": `while (true) { /* for ever */ }`,
    "good/index.ts": `Deno.serve(() => new Response("1"));`,
  });
  const call = async (name: string) => await (await fetch(`${stack.url}/functions/v1/${name}`)).text();
  const stack = await serveStack(() => new Response(), { folder: folder.path });
  {
    await using _stack = stack;
    assert.equal(await call("good"), "1");
    assert.match(await call("waiting"), /BOOT_ERROR/);
    assert.match(await call("busy"), /BOOT_ERROR/);

    await folder.write({ "good/index.ts": `Deno.serve(() => new Response("2"));` });
    const replaced = stack.functions.restart();
    assert.equal(await call("good"), "2");
    await folder.write({ "waiting/index.ts": `Deno.serve(() => new Response("3"));`, "busy/index.ts": "" });
    const last = stack.functions.restart();
    assert.equal(await call("waiting"), "3");
    assert.deepEqual(await Promise.all([replaced, last]), [false, true]);
    await folder.write({ "busy/index.ts": `while (true) { /* for ever */ }` });
    stack.functions.restart();
  }
  await assert.rejects(fetch(stack.url));
});

Deno.test("a function ends when the process that started it is killed, whatever it is at", async () => {
  await using folder = await makeFolder({ "busy/index.ts": `console.error("busy"); while (true) { /* for ever */ }` });
  const { href } = new URL("../../scripts/lib/stack/stack.ts", import.meta.url);
  const script =
    `import { serveStack } from "${href}"; await serveStack(() => new Response(), { folder: "${folder.path}" });`;
  const args = ["eval", "--quiet", "--no-check", script];
  const parent = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "piped" }).spawn();
  let killed = false;
  // The stream ends when the last process that writes to it has ended.
  for await (const text of parent.stderr.pipeThrough(new TextDecoderStream())) {
    if (killed || !text.includes("busy")) continue;
    killed = true;
    parent.kill("SIGKILL");
  }
  assert.equal((await parent.status).signal, "SIGKILL");
});

async function makeFolder(files: Record<string, string>) {
  const path = await Deno.makeTempDir();
  const write = async (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(`${path}/${name}`), { recursive: true });
      await Deno.writeTextFile(`${path}/${name}`, text);
    }
  };
  await write(files);
  return { path, write, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
