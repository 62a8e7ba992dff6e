import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Handler } from "./gateway.ts";

/** An Edge Function in a process of its own. */
export interface FunctionProcess {
  /** Passes a request on to the function. Answers 503 when the function does not load, is slow to, or ends its process. */
  readonly handle: Handler;
  /** Resolves when the function has loaded, has failed to, or has been reported as slow. */
  readonly settled: Promise<void>;
  /** Whether the process has ended after the function had loaded. */
  hasCrashed(): boolean;
  /** Gives running requests a short time to end, and ends the process. Idempotent. */
  stop(): Promise<void>;
}

/** The exit code of a function that does not load and has printed why. */
const REPORTED = 113;

const PROGRAM = fileURLToPath(new URL("serve_function.ts", import.meta.url));

/** After how many milliseconds a function that has not loaded is reported as slow. */
const SLOW_MS = 5000;

/**
 * Starts the function `name` of a folder with the variables `env`, and with its own `deno.json` where it has one. It may
 * import npm packages that the project does not have. After `slowMs` it counts as slow.
 */
export function startFunction(
  folder: string,
  name: string,
  env: Record<string, string>,
  slowMs = SLOW_MS,
): FunctionProcess {
  const config = join(folder, name, "deno.json");
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-check", "--allow-all"],
      ...existsSync(config) ? ["--no-lock", "--config", config] : ["--node-modules-dir=none"],
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
    // Ctrl-C in a terminal reaches this process and the function's alike.
    if (loaded || stopped !== undefined || code === REPORTED || signal === "SIGINT") return;
    console.error(`The function ${name} does not start: its process ended with exit code ${code}`);
  });

  const slow = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    console.error(`The function ${name} is still loading; until then it answers 503.`);
    slow.reject(new Error("slow"));
  }, slowMs);
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

/** Forwards a request with the path that the platform gives: `/<name>`, without `/functions/v1`. */
function passOn(request: Request, base: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const { method, headers, body } = request;
  const path = pathname.replace("/functions/v1", "");
  return fetch(`${base}${path}${search}`, { method, headers, body, redirect: "manual" });
}

/** Finds the URL in the first lines that a process prints, and prints all other output. */
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
      const [line, address] = /^function listens on (\S+)\n/m.exec(head) ?? [];
      if (line === undefined) continue;
      found = true;
      resolve(address!);
      await Deno.stdout.write(new TextEncoder().encode(head.replace(line, "")));
    }
    if (!found) await Deno.stdout.write(new TextEncoder().encode(head));
    reject(new Error("the function did not start"));
  })();
  return { url, printed };
}
