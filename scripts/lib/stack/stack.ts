import type { Backend } from "./backend.ts";
import { openDataApi } from "./data_api.ts";
import { type FunctionServer, type FunctionSettings, startFunctions } from "./functions.ts";
import { type Gateway, type Handler, serveGateway } from "./gateway.ts";
import { KEYS, type Keys } from "./keys.ts";

/** A Data API and the functions behind one URL, as in a hosted project. */
export interface LocalStack {
  /** The project's URL for clients, which need a key as well. */
  readonly url: string;
  readonly keys: Keys;
  readonly functions: FunctionServer;
  /** Ends everything but the database. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StackOptions extends Pick<FunctionSettings, "folder" | "env" | "isLazy"> {
  /** Port of the URL; by default any free one. */
  port?: number;
  /** By default the fixed public keys. */
  keys?: Keys;
  /** Answers at every path that is not of the Data API, of sign-in or of a function. */
  pages?: Handler;
}

/** Starts a stack over a migrated database. Throws `Deno.errors.AddrInUse` when the port is taken. */
export async function openStack(backend: Backend, options: StackOptions = {}): Promise<LocalStack> {
  return await serveStack(await openDataApi(backend, options.keys ?? KEYS), options);
}

/** Starts a stack over a Data API. Throws `Deno.errors.AddrInUse` when the port is taken. */
export async function serveStack(dataApi: Handler, options: StackOptions = {}): Promise<LocalStack> {
  const stack = startStack(dataApi, options);
  await stack.functions.started;
  return stack;
}

/** As {@link serveStack}, but it does not wait for the functions to load. */
export function startStack(dataApi: Handler, { port, keys = KEYS, pages, ...settings }: StackOptions = {}): LocalStack {
  const passOn: Handler = (request) => functions.handle(request);
  const gateway: Gateway = serveGateway({ dataApi, functions: passOn, pages }, keys, port);
  const functions: FunctionServer = startFunctions({ apiUrl: gateway.url, keys, ...settings });
  return {
    url: gateway.url,
    keys,
    functions,
    [Symbol.asyncDispose]: async () => {
      await functions[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}
