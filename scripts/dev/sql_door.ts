import type { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import type { EmbeddedBackend } from "../lib/stack/backend.ts";

/** How long a client may keep a transaction open and say nothing, in milliseconds. Everything else waits for it. */
const PATIENCE_MS = 60_000;

/** How many clients may be connected at once. */
const CLIENTS = 20;

/** A Postgres port of the embedded database. */
export interface SqlDoor {
  /** For `psql` and other SQL tools. Any password will do. */
  readonly url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Lets SQL clients connect to the embedded database on 127.0.0.1. They share its one session with the Data API and the jobs:
 * what one client sets holds for all until it leaves, named prepared statements clash, and while one has a transaction open all
 * others wait, a minute at most: then it is rolled back. A query cannot be cancelled. Port 0 takes any free port. Rejects with the code EADDRINUSE where it is taken.
 */
export async function openSqlDoor(
  { connection: { driver }, exclusively }: EmbeddedBackend,
  port: number,
  patienceMs = PATIENCE_MS,
): Promise<SqlDoor> {
  let release: (() => void) | undefined;
  let patience: ReturnType<typeof setTimeout> | undefined;
  const take = () =>
    new Promise<void>((taken) => {
      if (release !== undefined) return taken();
      void exclusively(() => {
        const { promise, resolve } = Promise.withResolvers<void>();
        release = resolve;
        taken();
        return promise;
      });
    });
  const give = () => {
    clearTimeout(patience);
    release?.();
    release = undefined;
  };
  const end = async (sql: string) => {
    // After an error Postgres reads no query before the end of the client's batch.
    await driver.execProtocolRaw(SYNC).catch(() => {});
    await driver.exec(sql).catch(() => {});
    give();
  };

  let isReady = true;
  // What the server calls of a PGlite. The turn that a client takes ends when Postgres is ready and in no transaction.
  const session = {
    waitReady: Promise.resolve(),
    isInTransaction: () => release !== undefined,
    exec: () => end("rollback"),
    runExclusive: async (use: () => Promise<void>) => {
      clearTimeout(patience);
      await take();
      await use();
      if (isReady) give();
      else patience = setTimeout(() => end("rollback"), patienceMs);
    },
    execProtocolRawStream: async (message: Uint8Array, { onRawData }: { onRawData: (data: Uint8Array) => void }) => {
      if (message[0] === TERMINATE) {
        await end(LEAVE);
        isReady = true;
        return;
      }
      let tail = new Uint8Array();
      await driver.execProtocolRawStream(message, {
        onRawData: (data) => {
          tail = new Uint8Array([...tail, ...data.subarray(-READY.length)]).subarray(-READY.length);
          onRawData(data);
        },
      });
      isReady = READY.every((byte, index) => tail[index] === byte);
    },
  };

  const server = new PGLiteSocketServer({
    db: session as unknown as PGlite,
    host: "127.0.0.1",
    port,
    maxConnections: CLIENTS,
  });
  await server.start();
  return {
    url: `postgresql://postgres@${server.getServerConn()}/postgres`,
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      if (release !== undefined) await end("rollback");
    },
  };
}

/** The type of the message with which a client leaves. */
const TERMINATE = "X".charCodeAt(0);

/** What a client leaves behind goes with it. */
const LEAVE = "rollback; deallocate all; reset role; reset all; set timezone to 'UTC'";

const SYNC = new Uint8Array(["S".charCodeAt(0), 0, 0, 0, 4]);

/** ReadyForQuery, outside any transaction. */
const READY = new Uint8Array([..."Z\0\0\0\x05I"].map((character) => character.charCodeAt(0)));
