/**
 * Serves one function as the platform does, given the path of its `index.ts`, and prints the URL. The function may export
 * `fetch` or call `Deno.serve`, which opens no port here. The process ends when its standard input ends, even while the
 * function is busy, so that it never outlives its parent.
 */
import { basename, dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { describeError } from "../../../cli/lib/error.ts";

type Fetch = (request: Request) => Response | Promise<Response>;

const { serve } = Deno;
const [path] = Deno.args as [string];
let served: Fetch | undefined;
Object.defineProperty(Deno, "serve", { value: captureHandler });

const [watching, parentEnded] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
// A separate thread, which also runs while this one is busy.
const watcher = new Worker(new URL("watch_parent.ts", import.meta.url), { type: "module" });
watcher.onmessage = ({ data }) => (data === "watching" ? watching : parentEnded).resolve();
await watching.promise;

const handle = await load();
const server = serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ hostname, port }) => console.log(`function listens on http://${hostname}:${port}`),
  onError: (error) => {
    console.error(error);
    const answer = { code: "WORKER_ERROR", message: "Function exited due to an error (please check logs)" };
    return Response.json(answer, { status: 500 });
  },
}, handle);
await parentEnded.promise;
await server.shutdown();
Deno.exit();

async function load(): Promise<Fetch> {
  try {
    const { default: exported } = await import(pathToFileURL(path).href);
    if (typeof exported?.fetch === "function") return (request) => exported.fetch(request);
    if (served !== undefined) return served;
    throw new Error("it neither has a default export with fetch nor calls Deno.serve");
  } catch (error) {
    const reason = describeError(error);
    console.error(`The function ${basename(dirname(path))} does not start: ${reason}`);
    Deno.exit(113); // REPORTED in function_process.ts
  }
}

/** Takes the place of `Deno.serve`, and keeps the handler among its arguments. */
function captureHandler(...args: (Fetch | { handler?: Fetch })[]) {
  for (const arg of args) served ??= typeof arg === "function" ? arg : arg.handler;
  return { finished: new Promise<void>(() => {}), shutdown: () => Promise.resolve(), ref: () => {}, unref: () => {} };
}
