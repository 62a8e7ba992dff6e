import { fileURLToPath } from "node:url";
import { type FunctionProcess, startFunction } from "./function_process.ts";
import type { Handler } from "./gateway.ts";
import type { Keys } from "./keys.ts";

/** The Edge Functions of a folder, each in a process of its own. */
export interface FunctionServer {
  /**
   * Passes a request on to the function that its path names. Answers 404 for an unknown name, and 503 when the function ends
   * its process; the next request starts a new process.
   */
  readonly handle: Handler;
  /** Resolves when each function has loaded, has failed to, or has been reported as slow. */
  readonly started: Promise<void>;
  /**
   * Replaces the processes by new ones, which load the functions again. Resolves when these have started: with false when
   * another restart or the end has come in between.
   */
  restart(): Promise<boolean>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface FunctionSettings {
  /** The project's URL for the functions. */
  apiUrl: string;
  keys: Keys;
  /** Folder of the functions; by default the project's own. */
  folder?: string;
  /** Further environment variables. */
  env?: Record<string, string>;
  /** Whether a function starts at its first request, which then waits for it; by default all start at once. */
  isLazy?: boolean;
}

/** How long the first request of a function waits for it, where it starts no earlier, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Folder of the project's functions. */
export const FUNCTIONS_FOLDER = fileURLToPath(new URL("../../../functions/", import.meta.url));

/** Starts the functions with the environment variables that the platform sets. */
export function startFunctions(settings: FunctionSettings): FunctionServer {
  const { apiUrl, keys, folder = FUNCTIONS_FOLDER } = settings;
  const env = {
    SUPABASE_URL: apiUrl,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret, ...keys.named }),
    SUPABASE_ANON_KEY: keys.publishable,
    SUPABASE_SERVICE_ROLE_KEY: keys.secret,
    ...settings.env,
  };
  const running = new Set<FunctionProcess>();
  const start = (name: string) => {
    const started = startFunction(folder, name, env, settings.isLazy ? PATIENCE_MS : undefined);
    running.add(started);
    return started;
  };
  const end = (one: FunctionProcess) => one.stop().then(() => running.delete(one));
  const startAll = () => new Map(settings.isLazy ? [] : namesIn(folder).map((name) => [name, start(name)]));
  const settle = async (functions: typeof current) => {
    await Promise.all([...functions.values()].map(({ settled }) => settled));
  };

  let current: Map<string, FunctionProcess> = startAll();
  return {
    handle: (request) => {
      const [, name = ""] = /^\/functions\/v1\/([^/]+)/.exec(new URL(request.url).pathname) ?? [];
      if (settings.isLazy && !current.has(name) && namesIn(folder).includes(name)) current.set(name, start(name));
      const found = current.get(name);
      if (found === undefined) {
        return Response.json({ code: "NOT_FOUND", message: "Requested function was not found" }, { status: 404 });
      }
      if (found.hasCrashed()) {
        end(found);
        current.set(name, start(name));
      }
      return current.get(name)!.handle(request);
    },
    started: settle(current),
    restart: async () => {
      const old = current;
      const next = current = startAll();
      old.forEach(end);
      await settle(next);
      return current === next;
    },
    [Symbol.asyncDispose]: async () => {
      current = new Map();
      await Promise.all([...running].map(end));
    },
  };
}

function namesIn(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)];
  return entries.filter(({ name, isDirectory }) => isDirectory && !name.startsWith("_")).map(({ name }) => name);
}
