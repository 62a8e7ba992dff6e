import { PGlite, protocol } from "@electric-sql/pglite";
import { pgtap } from "@electric-sql/pglite-pgtap";
import postgres from "postgres";

/** A session in which pgTAP files run. Each file is sent as it is, as one message of the simple protocol. */
export interface PgtapSession {
  /** Runs SQL text. Rejects with the error of Postgres. */
  exec(sql: string): Promise<void>;
  /** Runs the text of a file, and passes each row to `onRow` as it arrives, its columns separated by `|`. */
  run(text: string, onRow: (line: string) => void): Promise<void>;
  close(): Promise<void>;
}

/** Where Debian's package for Postgres 15 puts pgTAP. It is SQL only, and works on every version. */
const PGTAP_SQL = "/usr/share/postgresql/15/extension/pgtap--1.2.0.sql";

/** The settings that every file starts with: UTC, and pgTAP behind `public` on the search path. */
const RESET = "reset all; set timezone to 'UTC'; set search_path = public, extensions;";

/** Opens an embedded Postgres in memory that has pgTAP. */
export async function openEmbeddedSession(): Promise<PgtapSession & { db: PGlite }> {
  const db = await PGlite.create({ extensions: { pgtap } });
  await db.exec(`create schema if not exists extensions; create extension pgtap with schema extensions; ${RESET}`);
  return {
    db,
    exec: async (sql) => void await db.exec(sql),
    run: async (text, onRow) => {
      const { messages } = await db.execProtocol(protocol.serialize.query(text), { throwOnError: false });
      for (const message of messages) {
        if (message instanceof protocol.messages.DataRowMessage) onRow(message.fields.join("|"));
        if (message instanceof protocol.messages.DatabaseError) throw message;
      }
    },
    close: () => db.close(),
  };
}

/** Opens a session on a database of a server, and installs pgTAP there. */
export async function openServerSession(url: string): Promise<PgtapSession> {
  const sql = postgres(url, { max: 1, max_lifetime: null, onnotice: () => {}, fetch_types: false });
  const decoder = new TextDecoder();
  const exec = async (text: string) => void await sql.unsafe(text).simple();
  await exec(
    `create schema if not exists extensions; set search_path = extensions; ${await Deno.readTextFile(
      PGTAP_SQL,
    )}; ${RESET}`,
  );
  return {
    exec,
    run: async (text, onRow) => {
      const query = sql.unsafe(text).simple().raw() as unknown as postgres.PendingQuery<(Uint8Array | null)[][]>;
      await query.forEach((row) =>
        onRow((row as unknown as (Uint8Array | null)[]).map((value) => value ? decoder.decode(value) : "").join("|"))
      );
    },
    close: () => sql.end({ timeout: 5 }),
  };
}

/** Resets a session for the next file. Returns whether the last file had left its transaction open. */
export async function resetSession(session: PgtapSession): Promise<boolean> {
  const wasOpen = await session.exec("savepoint left_open").then(() => true, (error) => error.code !== NO_TRANSACTION);
  await session.exec("rollback");
  await session.exec(RESET);
  return wasOpen;
}

const NO_TRANSACTION = "25P01";
