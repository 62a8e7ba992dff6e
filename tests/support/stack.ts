import { defaultVersion } from "../../scripts/lib/cluster.ts";
import type { Database } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { type Backend, openEmbeddedBackend, openServerBackend } from "../../scripts/lib/stack/backend.ts";
import type { Keys } from "../../scripts/lib/stack/keys.ts";
import { openStack } from "../../scripts/lib/stack/stack.ts";
import { openEngine } from "./engine.ts";
import { type FunctionClient, functionClient } from "./function_client.ts";
import { migratedSnapshot } from "./snapshot.ts";

/** A migrated database, a Data API over it, and the functions, all reached over HTTP. */
export interface Stack extends FunctionClient {
  /** What `createClient` of supabase-js is given, with one of the keys. */
  readonly url: string;
  readonly keys: Keys;
  /** A session on the database past the Data API, which sees at once what `exec` does to the schema. */
  readonly db: Database;
  /** A token of a newly signed-up user, whose requests run as the role `authenticated`; sent as a bearer token. */
  userToken(): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The engines that tests over HTTP run on. */
export const ENGINES: Record<string, () => Promise<Stack>> = {
  PGlite: async () => await buildStack(await openEmbeddedBackend({ snapshot: await migratedSnapshot() })),
  [`Postgres ${defaultVersion()}`]: async () => {
    const engine = await openEngine();
    return await buildStack(await openServerBackend(engine.url), engine);
  },
};

async function buildStack(backend: Backend, engine?: AsyncDisposable): Promise<Stack> {
  await using started = new AsyncDisposableStack();
  if (engine) started.use(engine);
  started.defer(() => backend.close());
  await migrate(backend.db);
  const { url, keys } = started.use(await openStack(backend, { isLazy: true }));
  const running = started.move();
  const db: Database = {
    ...backend.db,
    exec: async (sql) => {
      await backend.db.exec(sql);
      await backend.connection.clearSchemaCache();
    },
  };
  return {
    url,
    keys,
    db,
    ...functionClient(url),
    userToken: () => signUp(url, keys),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function signUp(url: string, keys: Keys): Promise<string> {
  const response = await fetch(`${url}/auth/v1/signup`, {
    method: "POST",
    headers: { apikey: keys.publishable, "content-type": "application/json" },
    body: JSON.stringify({ email: `${crypto.randomUUID()}@example.org`, password: crypto.randomUUID() }),
  });
  const { access_token } = await response.json();
  return access_token;
}
