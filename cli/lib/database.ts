import { setImmediate } from "node:timers/promises";
import postgres from "postgres";
import { describeError } from "./error.ts";
import { Failure } from "./failure.ts";
import { describeServer, socketFolder, withoutSocketFolder } from "./server_url.ts";

/** What runs statements: a session, or a transaction in it. */
export interface Statements {
  /** Runs one statement with `$1` parameters and returns its rows. */
  query<Row = Record<string, unknown>>(sql: string, params?: unknown[]): Promise<Row[]>;
  /** Runs any number of statements without parameters. */
  exec(sql: string): Promise<void>;
}

/** One session on a Postgres server. Its time zone is UTC. */
export interface Database extends Statements {
  /**
   * Runs `copy ... from stdin` with the given data, in parts, inside a transaction that the caller began. Where the server
   * refuses a row, it aborts the transaction, which the next statement says, and not this one.
   */
  copyIn(sql: string, data: Iterable<string | Uint8Array>): Promise<void>;
  /** The rows of a query with `$1` parameters, `size` at a time. */
  readInParts<Row>(sql: string, params: unknown[], size: number): AsyncIterable<Row[]>;
  /** Runs `work` in one transaction: all of it is kept, or nothing when it throws. Then the session has ended. */
  transaction<Result>(work: (statements: Statements) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/**
 * Opens one session on the database at `url`, a `postgres://` or `postgresql://` connection string. It prepares no
 * statements, so that a pooler may be in between. `onNotice` takes what the server says meanwhile. Throws a {@link Failure} when the server cannot be reached.
 */
export async function openDatabase(url: string, onNotice: (message: string) => void = () => {}): Promise<Database> {
  const session = connect(url, onNotice);
  try {
    await session`select 1`;
  } catch (cause) {
    await session.end({ timeout: 0 });
    throw new Failure(`Cannot connect to ${describeServer(url)}: ${describeError(cause)}`, { cause });
  }
  const statements = statementsOf(session);
  return {
    ...statements,
    copyIn: async (sql, data) => {
      const stream = await session.unsafe(sql).writable();
      // It comes for an error before the last part. After it, the driver does not pass it on, and the stream never finishes.
      stream.on("error", () => {});
      for (const part of data) {
        if (stream.destroyed) return;
        await new Promise<void>((resolve) => stream.write(part, () => resolve()));
      }
      stream.end();
      // Until then the end is not sent, and the next statement must come after it.
      await setImmediate();
    },
    readInParts: <Row>(sql: string, params: unknown[], size: number) =>
      session.unsafe(sql, params as postgres.ParameterOrJSON<never>[]).cursor(size) as unknown as AsyncIterable<Row[]>,
    transaction: async (work) => {
      try {
        await statements.exec("begin");
        const result = await work(statements);
        await statements.exec("commit");
        return result;
      } catch (error) {
        // Ends the transaction as well. The driver must not be asked for a rollback: it would open another session where
        // the server has ended this one.
        await session.end({ timeout: 0 });
        throw error;
      }
    },
    close: () => session.end({ timeout: 5 }),
  };
}

/** Opens the database, and closes it when `work` has ended. */
export async function withDatabase<Result>(
  url: string,
  work: (db: Database) => Promise<Result>,
  onNotice?: (message: string) => void,
): Promise<Result> {
  const db = await openDatabase(url, onNotice);
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** The SQLSTATE with which Postgres refused a statement; undefined for any other error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError ? error.code : undefined;
}

function connect(url: string, onNotice: (message: string) => void): postgres.Sql {
  if (!/^postgres(ql)?:\/\//.test(url)) {
    throw new Failure("--db must be a connection string such as postgres://user:password@host:5432/postgres.");
  }
  try {
    const session: postgres.Sql = postgres(withoutSocketFolder(url), {
      ...socketFolder(url),
      max: 1,
      max_lifetime: null,
      // A session that is lost must not be replaced by another one in the middle of a transaction.
      onclose: (): void => void session.end({ timeout: 0 }),
      connect_timeout: 15,
      prepare: false,
      fetch_types: false,
      // Counts are far below 2^53.
      types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
      // Of `if not exists` there is nothing to tell.
      onnotice: ({ severity, code, message }) => code?.startsWith("42P") || onNotice(`${severity}: ${message}`),
      connection: { TimeZone: "UTC", application_name: "pgbars" },
    });
    return session;
  } catch (cause) {
    throw new Failure(`--db cannot be read: ${describeError(cause)}`, { cause });
  }
}

function statementsOf(session: postgres.Sql): Statements {
  return {
    query: async <Row>(sql: string, params: unknown[] = []) =>
      [...await session.unsafe(sql, params as postgres.ParameterOrJSON<never>[])] as unknown as Row[],
    exec: async (sql) => void await session.unsafe(sql).simple(),
  };
}
