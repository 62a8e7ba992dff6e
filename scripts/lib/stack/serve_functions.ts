/**
 * Serves the functions of a folder, its only argument, as the platform does, at `/functions/v1/<name>`; their settings
 * are in the environment. Says where on standard output, and ends when its standard input does, so that it never
 * outlives the process that started it. A function that does not load answers 503, and the others work.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

type Fetch = (request: Request) => Response | Promise<Response>;

async function load(folder: string, name: string): Promise<Fetch> {
  try {
    return (await import(pathToFileURL(join(folder, name, "index.ts")).href)).default.fetch;
  } catch (error) {
    console.error(`The function ${name} does not start: ${error instanceof Error ? error.message : error}`);
    const answer = { code: "BOOT_ERROR", message: "Function failed to start (please check logs)" };
    return () => Response.json(answer, { status: 503 });
  }
}

const [folder] = Deno.args as [string];
const functions = new Map<string, Fetch>();
for await (const { name, isDirectory } of Deno.readDir(folder)) {
  if (isDirectory && !name.startsWith("_")) functions.set(name, await load(folder, name));
}

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ hostname, port }) => console.log(`functions listen on http://${hostname}:${port}`),
}, (request) => {
  const [, name = ""] = /^\/functions\/v1\/([^/]+)/.exec(new URL(request.url).pathname) ?? [];
  const answer = { code: "NOT_FOUND", message: "Requested function was not found" };
  return functions.get(name)?.(request) ?? Response.json(answer, { status: 404 });
});

for await (const _ of Deno.stdin.readable) { /* nothing is ever sent */ }
await server.shutdown();
