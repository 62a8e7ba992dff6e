import { App } from "@supabase/lite";
import { createPgliteConnection } from "@supabase/lite/pglite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import type { Database } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { openEngine } from "../support/engine.ts";
import { serveDataApi } from "./data_api.ts";
import { type FunctionServer, KEYS, serveFunctions } from "./function_server.ts";

/** A migrated database, a Data API over it, and the functions, all reached over HTTP. */
export interface Stack extends FunctionServer {
  /** A session on the database past the Data API. */
  readonly db: Database;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The engines that the functions are tested on. */
export const ENGINES: Record<string, () => Promise<Stack>> = {
  PGlite: openEmbeddedStack,
  "Postgres 15": openServerStack,
};

async function openEmbeddedStack(): Promise<Stack> {
  const connection = await createPgliteConnection();
  await connection.driver.waitReady;
  // This PGlite leaves the exit code of its initdb behind.
  Deno.exitCode = 0;
  const db: Database = {
    query: async <T>(sql: string, params?: unknown[]) => (await connection.driver.query<T>(sql, params)).rows,
    exec: async (sql) => void await connection.driver.exec(sql),
    close: () => connection.close(),
  };
  await migrate(db);
  return await buildStack(db, connection, () => db.close());
}

async function openServerStack(): Promise<Stack> {
  const engine = await openEngine();
  const connection = createPostgresConnection({ url: engine.url });
  return await buildStack(engine.db, connection, async () => {
    await connection.close();
    await engine[Symbol.asyncDispose]();
  });
}

type Connection = ConstructorParameters<typeof App>[0]["connection"];

async function buildStack(db: Database, connection: Connection, close: () => Promise<void>): Promise<Stack> {
  const app = new App({
    connection,
    auth: { enabled: false, publishable_key: KEYS.publishable, secret_key: KEYS.secret },
  });
  await app.init();
  await using started = new AsyncDisposableStack();
  started.defer(close);
  const api = started.use(serveDataApi((request) => app.fetch(request)));
  const functions = started.use(await serveFunctions(api.url));
  const running = started.move();
  return { db, ...functions, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
