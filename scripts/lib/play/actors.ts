import { type Database, DatabaseError, openServer } from "../database.ts";

const ADMIN_SHUTDOWN = "57P01";

/** How long the server may take to end a killed session. */
const KILL_LIMIT_MS = 60_000;

/** How long to wait for a statement of another session. That session may have nothing more to do. */
const AT_WORK_LIMIT_MS = 100;

/** A session of a history. It may hold a transaction, and another session may kill it at any moment. */
export class Actor {
  readonly #url: string;
  #session: Promise<Session>;
  /** Connections of killed sessions. The driver takes seconds to close one. */
  readonly #closing: Promise<void>[] = [];
  #inTransaction = false;

  private constructor(url: string, session: Session) {
    this.#url = url;
    this.#session = Promise.resolve(session);
  }

  static async start(url: string): Promise<Actor> {
    return new Actor(url, await openSession(url));
  }

  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  async query<T>(sql: string, params: unknown[] = []): Promise<T[]> {
    return await this.#run((db) => db.query<T>(sql, params));
  }

  async exec(sql: string): Promise<void> {
    await this.#run((db) => db.exec(sql));
  }

  async #run<T>(statement: (db: Database) => Promise<T>): Promise<T> {
    const { db, broken } = await this.#session;
    try {
      return await Promise.race([statement(db), broken.promise]);
    } catch (error) {
      if (error instanceof DatabaseError) throw error;
      throw new DatabaseError("the session was killed", { code: ADMIN_SHUTDOWN }, { cause: error });
    }
  }

  async begin(): Promise<void> {
    await this.#begin("begin");
  }

  /** Begins a transaction that sees nothing of what is committed from now on. */
  async beginWithOneSnapshot(): Promise<void> {
    await this.#begin("begin isolation level repeatable read; select from public.data_agg_state limit 1");
  }

  async #begin(sql: string): Promise<void> {
    if (this.#inTransaction) return;
    const session = this.#session;
    await this.exec(sql);
    this.#inTransaction = session === this.#session;
  }

  /**
   * Ends the transaction. A rollback also succeeds when the session is killed before it ran: the server has rolled back.
   * A commit rejects then.
   */
  async end(how: "commit" | "rollback"): Promise<void> {
    this.#inTransaction = false;
    try {
      await this.exec(how);
    } catch (error) {
      if (how === "commit" || !wasKilled(error)) throw error;
    }
  }

  /** Waits until a statement of the session is under way, as the session `db` sees it, but only for a moment. */
  async waitUntilAtWork(db: Database): Promise<void> {
    const deadline = Date.now() + AT_WORK_LIMIT_MS;
    while (Date.now() < deadline) {
      const { pid } = await this.#session;
      const active = await db.query("select from pg_stat_activity as a where a.pid = $1 and a.state = 'active'", [pid]);
      if (active.length > 0) return;
    }
  }

  /**
   * Lets the server end the session, through the session `db`. Statements under way reject; later ones run in a new
   * session. Returns whether a transaction was open.
   */
  async kill(db: Database): Promise<boolean> {
    const wasOpen = this.#inTransaction;
    await this.#replace(async (session) => {
      await db.query("select pg_terminate_backend($1, $2)", [session.pid, KILL_LIMIT_MS]);
      // The driver sometimes never settles the statement that was under way, so settle it here.
      session.broken.reject(new Error("the session was killed"));
      this.#closing.push(session.db.close());
    });
    return wasOpen;
  }

  /** Closes the session, whatever is open in it, and opens another. */
  async restart(): Promise<void> {
    await this.#replace((session) => session.db.close());
  }

  /** Opens a session in place of the present one. Statements that are sent from now on wait for it. */
  async #replace(end: (session: Session) => Promise<void>): Promise<void> {
    const present = this.#session;
    this.#inTransaction = false;
    this.#session = (async () => {
      await end(await present);
      return await openSession(this.#url);
    })();
    await this.#session;
  }

  async close(): Promise<void> {
    await (await this.#session).db.close();
    await Promise.allSettled(this.#closing);
  }
}

/** Whether a statement of an actor failed because its session was killed. The server may have committed it nevertheless. */
export function wasKilled(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === ADMIN_SHUTDOWN;
}

interface Session {
  db: Database;
  pid: number;
  /** Rejects when the session is killed. */
  broken: PromiseWithResolvers<never>;
}

async function openSession(url: string): Promise<Session> {
  const db = await openServer(url);
  const [row] = await db.query<{ pid: number }>("select pg_backend_pid() as pid");
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  return { db, pid: row!.pid, broken };
}
