import type { Backend } from "./backend.ts";
import { openDataApi } from "./data_api.ts";
import { type FunctionServer, type FunctionSettings, startFunctions } from "./functions.ts";
import { type Gateway, type Handler, serveGateway } from "./gateway.ts";
import { KEYS, type Keys } from "./keys.ts";

/** A Data API and the functions behind one URL, as in a hosted project. */
export interface LocalStack {
  /** What clients are created with, together with a key. */
  readonly url: string;
  readonly keys: Keys;
  readonly functions: FunctionServer;
  /** Ends everything but the database. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StackOptions extends Pick<FunctionSettings, "folder" | "env"> {
  /** Port of the URL; any free one when left out. */
  port?: number;
}

/** Starts a stack over a migrated database. Throws `Deno.errors.AddrInUse` when the port is taken. */
export async function openStack(backend: Backend, options: StackOptions = {}): Promise<LocalStack> {
  return await serveStack(await openDataApi(backend, KEYS), options);
}

/** Starts a stack over a Data API. Throws `Deno.errors.AddrInUse` when the port is taken. */
export async function serveStack(dataApi: Handler, { port, ...settings }: StackOptions = {}): Promise<LocalStack> {
  await using started = new AsyncDisposableStack();
  const passOn: Handler = (request) => functions.handle(request);
  const gateway: Gateway = started.use(serveGateway({ dataApi, functions: passOn }, KEYS, port));
  const functions: FunctionServer = started.use(startFunctions({ apiUrl: gateway.url, keys: KEYS, ...settings }));
  await functions.started;
  const running = started.move();
  return { url: gateway.url, keys: KEYS, functions, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
