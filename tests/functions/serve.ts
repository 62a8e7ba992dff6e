/** Serves the functions as the platform does, at `/functions/v1/<name>`, and prints its URL; their settings are in the environment. */
const folder = new URL("../../functions/", import.meta.url);

const functions = new Map<string, (request: Request) => Promise<Response>>();
for await (const { name, isDirectory } of Deno.readDir(folder)) {
  if (!isDirectory || name.startsWith("_")) continue;
  functions.set(`/functions/v1/${name}`, (await import(new URL(`${name}/index.ts`, folder).href)).default.fetch);
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}`),
}, (request) => functions.get(new URL(request.url).pathname)?.(request) ?? new Response(null, { status: 404 }));
