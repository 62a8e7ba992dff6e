import { fileURLToPath } from "node:url";
import type { Handler } from "./gateway.ts";
import type { Keys } from "./keys.ts";

/** The functions, in a process of their own. */
export interface FunctionServer {
  /** Passes a request on to the function that its path names. Answers 503 when that ends the process; the next starts a new one. */
  readonly handle: Handler;
  /** Resolves when the functions answer. Rejects when their process ends before it. */
  readonly started: Promise<void>;
  /** Lets a new process, which reads the functions anew, take the place of the one there is. */
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FunctionSettings {
  /** The project's URL as the functions are to see it. */
  apiUrl: string;
  keys: Keys;
  /** Folder of the functions; by default the project's own. */
  folder?: string;
  /** Further environment variables. */
  env?: Record<string, string>;
}

/** Folder of the project's functions. */
export const FUNCTIONS_FOLDER = fileURLToPath(new URL("../../../functions/", import.meta.url));
const PROGRAM = fileURLToPath(new URL("serve_functions.ts", import.meta.url));

/** How long requests under way have to end before their process is ended, in milliseconds. */
const PATIENCE_MS = 2000;

/** Starts the functions with the environment that the platform gives them. */
export function startFunctions(settings: FunctionSettings): FunctionServer {
  let current = startProcess(settings);
  const restart = async () => {
    const next = startProcess(settings);
    await next.url;
    const old = current;
    current = next;
    await old.stop();
  };
  return {
    handle: (request) => {
      if (current.hasEnded()) current = startProcess(settings);
      return current.handle(request);
    },
    started: current.url.then(() => {}),
    restart,
    [Symbol.asyncDispose]: () => current.stop(),
  };
}

function startProcess({ apiUrl, keys, folder = FUNCTIONS_FOLDER, env }: FunctionSettings) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--allow-all", PROGRAM, folder],
    env: {
      SUPABASE_URL: apiUrl,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret, ...keys.named }),
      ...env,
    },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const { url, printed } = readOutput(process.stdout);
  let ended = false;
  process.status.then(() => ended = true);
  return {
    url,
    hasEnded: () => ended,
    handle: async (request: Request): Promise<Response> => {
      try {
        return await passOn(request, await url);
      } catch {
        const answer = { code: "BOOT_ERROR", message: "Function failed to start (please check logs)" };
        return Response.json(answer, { status: 503 });
      }
    },
    stop: async () => {
      await process.stdin.close();
      const patience = setTimeout(() => process.kill(), PATIENCE_MS);
      await process.status;
      clearTimeout(patience);
      await printed;
    },
  };
}

function passOn(request: Request, base: string): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const { method, headers, body } = request;
  return fetch(`${base}${pathname}${search}`, { method, headers, body, redirect: "manual" });
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
      const [line, said] = /^functions listen on (\S+)\n/m.exec(head) ?? [];
      if (line === undefined) continue;
      found = true;
      resolve(said!);
      await Deno.stdout.write(new TextEncoder().encode(head.replace(line, "")));
    }
    reject(new Error("the functions did not start"));
  })();
  return { url, printed };
}
