import { type Cluster, startCluster } from "../lib/cluster.ts";
import { openServer } from "../lib/database.ts";
import { ensurePackages } from "../lib/debian.ts";
import type { RunResult } from "../lib/process.ts";
import { supabase } from "../lib/supabase.ts";
import { installTestSql } from "./test_sql.ts";

export interface TestOptions {
  /** Files and folders to which the steps that run test files keep; all when empty. */
  paths: string[];
  /** Write what the isolation specs printed as the output expected from now on. */
  accept: boolean;
  /** How many random histories each property test plays; each its own number when absent. */
  runs?: number;
}

export interface PushedDatabase {
  url: string;
  /** What `supabase db push` printed. */
  push: RunResult;
}

/** The database that is copied for tests: the pushed one with the functions of tests/sql. No session is connected to it. */
const TEMPLATE = "pgbars_template";

/** What the steps share. Each part is made when a step first asks for it; a failure meets every step that asks. */
export class TestContext {
  readonly options: TestOptions;
  /** Installs the Debian packages. */
  readonly packages = once(ensurePackages);
  readonly cluster = once(async () => {
    await this.packages();
    return this.#cluster = await startCluster();
  });
  /** A database that was empty until `supabase db push` filled it. Rejects when the push failed. */
  readonly pushed = once(() => this.#push());
  readonly #template = once(async () => {
    await this.pushed();
    await withServer((await this.cluster()).url(TEMPLATE), installTestSql);
  });
  #cluster: Cluster | undefined;

  constructor(options: TestOptions) {
    this.options = options;
  }

  /** Creates a database as `supabase db push` leaves an empty one, with the functions of tests/sql. Returns its URL. */
  async createMigratedDatabase(name: string): Promise<string> {
    await this.#template();
    return await (await this.cluster()).createDatabase(name, TEMPLATE);
  }

  async #push(): Promise<PushedDatabase> {
    const cluster = await this.cluster();
    const url = await cluster.createDatabase("pgbars_pushed");
    const push = await supabase(url, ["db", "push"]);
    if (push.code !== 0) throw new Error(push.report);
    await cluster.createDatabase(TEMPLATE, "pgbars_pushed");
    return { url, push };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster?.stop();
  }
}

/** Runs `use` with a session on `url` that is closed afterwards. */
export async function withServer<T>(
  url: string,
  use: (db: Awaited<ReturnType<typeof openServer>>) => Promise<T>,
): Promise<T> {
  const db = await openServer(url);
  try {
    return await use(db);
  } finally {
    await db.close();
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}
