import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Handler } from "./gateway.ts";

/** A function in a process of its own. */
export interface FunctionProcess {
  /** Passes a request on to the function. Answers 503 when it does not load, takes long to, or ends its process. */
  readonly handle: Handler;
  /** Resolves when the function has loaded, or will not, or has been told to be slow. */
  readonly settled: Promise<void>;
  /** Whether the process has ended after the function had loaded. */
  hasCrashed(): boolean;
  /** Lets requests under way end, for a short time, and ends the process. Safe to repeat. */
  stop(): Promise<void>;
}

/** The exit code of a function that does not load and has said why. */
const TOLD = 113;

const PROGRAM = fileURLToPath(new URL("serve_function.ts", import.meta.url));

/** After how long a function that has not loaded is told to be slow, in milliseconds. */
const SLOW_MS = 5000;

/** Starts the function `name` of a folder, with its own `deno.json` where it has one, and these variables. */
export function startFunction(folder: string, name: string, env: Record<string, string>): FunctionProcess {
  const config = join(folder, name, "deno.json");
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--allow-all"],
      ...existsSync(config) ? ["--no-lock", "--config", config] : [],
      ...[PROGRAM, join(folder, name, "index.ts")],
    ],
    env,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const { url, printed } = readOutput(process.stdout);
  let [loaded, ended] = [false, false];
  let stopped: Promise<void> | undefined;
  url.then(() => loaded = true, () => {});
  process.status.then(({ code, signal }) => {
    ended = true;
    // Ctrl-C in a terminal reaches every process.
    if (loaded || stopped !== undefined || code === TOLD || signal === "SIGINT") return;
    console.error(`The function ${name} does not start: it ends its process, with the exit code ${code}`);
  });

  const slow = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    console.error(`The function ${name} is still loading; until it is done it answers 503.`);
    slow.reject(new Error("slow"));
  }, SLOW_MS);
  const loadedInTime = () => Promise.race([url, slow.promise]);
  const settled = loadedInTime().then(() => {}, () => {}).finally(() => clearTimeout(timer));

  const stop = async () => {
    await process.stdin.close();
    await process.status;
    await printed;
  };
  return {
    settled,
    hasCrashed: () => loaded && ended,
    handle: async (request) => {
      try {
        return await passOn(request, await loadedInTime());
      } catch {
        const answer = { code: "BOOT_ERROR", message: "Function failed to start (please check logs)" };
        return Response.json(answer, { status: 503 });
      }
    },
    stop: () => stopped ??= stop(),
  };
}

/** The platform names the function in the path, without what is before it. */
function passOn(request: Request, base: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const { method, headers, body } = request;
  const path = pathname.replace("/functions/v1", "");
  return fetch(`${base}${path}${search}`, { method, headers, body, redirect: "manual" });
}

/** Finds the URL in what a process prints first, and prints whatever follows. */
function readOutput(output: ReadableStream<Uint8Array<ArrayBuffer>>) {
  const { promise: url, resolve, reject } = Promise.withResolvers<string>();
  url.catch(() => {});
  const printed = (async () => {
    let head = "";
    let found = false;
    for await (const text of output.pipeThrough(new TextDecoderStream())) {
      if (found) {
        await Deno.stdout.write(new TextEncoder().encode(text));
        continue;
      }
      head += text;
      const [line, said] = /^function listens on (\S+)\n/m.exec(head) ?? [];
      if (line === undefined) continue;
      found = true;
      resolve(said!);
      await Deno.stdout.write(new TextEncoder().encode(head.replace(line, "")));
    }
    if (!found) await Deno.stdout.write(new TextEncoder().encode(head));
    reject(new Error("the function did not start"));
  })();
  return { url, printed };
}
