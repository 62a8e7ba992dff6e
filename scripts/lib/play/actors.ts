import { type Database, DatabaseError, openServer } from "../database.ts";

const ADMIN_SHUTDOWN = "57P01";

/** A session of a history: it may be in a transaction, and somebody may break it off. */
export class Actor {
  readonly #url: string;
  #session: Promise<Session>;
  /** Sessions that were broken off: the driver takes seconds to believe it. */
  readonly #closing: Promise<void>[] = [];
  inTransaction = false;

  private constructor(url: string, session: Session) {
    this.#url = url;
    this.#session = Promise.resolve(session);
  }

  static async start(url: string): Promise<Actor> {
    return new Actor(url, await openSession(url));
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
    if (this.inTransaction) return;
    await this.exec("begin");
    this.inTransaction = true;
  }

  /** Begins a transaction that sees nothing of what is committed from now on. */
  async beginWithOneSnapshot(): Promise<void> {
    if (this.inTransaction) return;
    await this.exec("begin isolation level repeatable read; select from public.data_agg_state limit 1");
    this.inTransaction = true;
  }

  async end(how: "commit" | "rollback"): Promise<void> {
    this.inTransaction = false;
    await this.exec(how);
  }

  /**
   * Lets the server end the session, on the word of `db`: what it is at rejects, and what comes next has a new session.
   * Returns whether a transaction was open.
   */
  async kill(db: Database): Promise<boolean> {
    const wasOpen = this.inTransaction;
    this.inTransaction = false;
    const killed = await this.#session;
    this.#session = this.#replace(killed, db);
    await this.#session;
    return wasOpen;
  }

  async #replace(killed: Session, db: Database): Promise<Session> {
    await db.query("select pg_terminate_backend($1, 1000)", [killed.pid]);
    // Not left to the driver, which now and then never answers the statement that was under way.
    killed.broken.reject(new Error("its session was killed"));
    this.#closing.push(killed.db.close());
    return await openSession(this.#url);
  }

  /** Closes the session, whatever is open in it, and opens another. */
  async restart(): Promise<void> {
    await (await this.#session).db.close();
    this.inTransaction = false;
    this.#session = openSession(this.#url);
    await this.#session;
  }

  async close(): Promise<void> {
    await (await this.#session).db.close();
    await Promise.allSettled(this.#closing);
  }
}

interface Session {
  db: Database;
  pid: number;
  /** Rejects when the session is broken off. */
  broken: PromiseWithResolvers<never>;
}

async function openSession(url: string): Promise<Session> {
  const db = await openServer(url);
  const [row] = await db.query<{ pid: number }>("select pg_backend_pid() as pid");
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  return { db, pid: row!.pid, broken };
}
