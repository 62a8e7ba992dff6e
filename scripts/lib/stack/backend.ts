import type { Connection } from "@supabase/lite";
import { createPgliteConnection } from "@supabase/lite/pglite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { types as pgliteTypes } from "@electric-sql/pglite";
import { type Database, openServer, translateErrors } from "../database.ts";
import { socketFolder, withoutSocketFolder } from "../../../cli/lib/server_url.ts";
import { READERS, toBooleanParameter, toJsonParameter } from "./values.ts";

/** A database, with a session for the caller and a connection for the Data API. */
export interface Backend {
  /** A session of the database's owner, which does not go through the Data API. */
  readonly db: Database;
  /** The connection of Supabase Lite. */
  readonly connection: Connection;
  /** Runs `use` while no other request or query has a transaction open on the same session. */
  exclusively<T>(use: () => Promise<T>): Promise<T>;
  /** Calls `onNotify` for each `notify pgrst`, which asks the Data API to read the schema again. */
  listen(onNotify: () => void): Promise<void>;
  /** Ends all sessions. An embedded database without a folder is lost. */
  close(): Promise<void>;
}

/** A Postgres inside this process. */
export interface EmbeddedBackend extends Backend {
  readonly connection: Awaited<ReturnType<typeof createPgliteConnection>>;
  /** Its files, with which another can start. */
  takeSnapshot(): Promise<Blob>;
}

export function isEmbedded(backend: Backend): backend is EmbeddedBackend {
  return "takeSnapshot" in backend;
}

/**
 * Starts the Postgres that comes with Supabase Lite inside this process, in memory or in a folder, empty or from a
 * snapshot. It has one session, which `db` and the Data API take in turns. So a request may run in the middle of a
 * transaction that `db.exec` has begun and not ended.
 */
export async function openEmbeddedBackend(
  { dataDir, snapshot }: { dataDir?: string | undefined; snapshot?: Blob } = {},
): Promise<EmbeddedBackend> {
  const connection = await createPgliteConnection({
    ...(dataDir !== undefined && { url: dataDir }),
    pgliteOptions: {
      ...(snapshot !== undefined && { loadDataDir: snapshot }),
      parsers: Object.fromEntries(Object.values(READERS).map(({ oid, read }) => [oid, read])),
      serializers: { 16: toBooleanParameter, 114: toJsonParameter, 3802: toJsonParameter },
    },
  });
  await keepExitCode(() => connection.driver.waitReady);
  await connection.driver.exec("set timezone to 'UTC'");

  const takeTurn = takeTurns();
  const exclusively: Backend["exclusively"] = (use) => takeTurn(() => keepExitCode(use));
  const { parsers, serializers } = pgliteTypes;
  const db: Database = {
    query: <T>(sql: string, params: unknown[] = []) =>
      exclusively(() =>
        translateErrors(async () => {
          const values = params.map((value) => value ?? null);
          return (await connection.driver.query<T>(sql, values, { parsers, serializers })).rows;
        })
      ),
    exec: (sql) => exclusively(() => translateErrors(async () => void await connection.driver.exec(sql))),
    close: () => connection.close(),
  };
  const listen = async (onNotify: () => void) => void await connection.driver.listen("pgrst", onNotify);
  const takeSnapshot = () => exclusively(() => connection.driver.dumpDataDir("none"));
  return { db, connection, exclusively, listen, takeSnapshot, close: db.close };
}

/** The keys are Lite's own names of these types: with other names Lite's readers would be used. */
const serverTypes = {
  ...Object.fromEntries(
    Object.entries(READERS).map((
      [name, { oid, read }],
    ) => [name, { to: oid, from: [oid], serialize: String, parse: read }]),
  ),
  boolean: { to: 16, from: [16], serialize: toBooleanParameter, parse: (text: string) => text === "t" },
  json: { to: 114, from: [114], serialize: toJsonParameter, parse: JSON.parse },
  jsonb: { to: 3802, from: [3802], serialize: toJsonParameter, parse: JSON.parse },
};

/** How long running statements may take to end when a server's sessions are closed. */
const CLOSE_SECONDS = 5;

/** Connects to a Postgres server. Rejects when it cannot be reached. */
export async function openServerBackend(url: string): Promise<Backend> {
  const db = await openServer(url);
  const connection = createPostgresConnection({
    url: withoutSocketFolder(url),
    postgresOptions: {
      ...socketFolder(url),
      onnotice: () => {},
      connection: { application_name: "pgbars" },
      types: serverTypes,
    },
  });
  return {
    db,
    connection,
    exclusively: (use) => use(),
    listen: async (onNotify) => void await connection.driver.listen("pgrst", onNotify),
    close: async () => {
      await connection.driver.end({ timeout: CLOSE_SECONDS });
      await db.close();
    },
  };
}

/** Restores the exit code of this process, which the embedded Postgres sets at its start and after every error. */
async function keepExitCode<T>(use: () => Promise<T>): Promise<T> {
  const code = Deno.exitCode;
  try {
    return await use();
  } finally {
    Deno.exitCode = code;
  }
}

/** Returns a function that runs its arguments one after the other, in the order of the calls. */
function takeTurns(): Backend["exclusively"] {
  let last: Promise<unknown> = Promise.resolve();
  return (use) => {
    const turn = last.then(use, use);
    last = turn;
    return turn;
  };
}
