import { type Cluster, type PostgresVersion, startCluster } from "../lib/cluster.ts";
import { openServer } from "../lib/database.ts";
import { BROWSER_PACKAGES, DATABASE_PACKAGES, ensurePackages } from "../lib/debian.ts";
import { migrate } from "../lib/migrations.ts";
import type { RunResult } from "../lib/process.ts";
import { supabase } from "../lib/supabase.ts";
import { installTestSql } from "./test_sql.ts";

export interface TestOptions {
  /** Run test files only from these files and folders; all when empty. */
  paths: string[];
  /** Write what the isolation specs print into their files of expected output. */
  accept: boolean;
  /** How many random histories each property test plays. When absent, each test plays its own number. */
  runs?: number;
}

export interface PushedDatabase {
  url: string;
  /** What `supabase db push` printed. */
  push: RunResult;
}

/** The database that is copied for tests. No session is connected to it. */
const TEMPLATE = "pgbars_template";

/** What the steps share. The first step that asks for a part makes it. When that fails, every step that asks fails. */
export class TestContext {
  readonly options: TestOptions;
  /** Installs the Debian packages. */
  readonly packages = once(() => ensurePackages([...DATABASE_PACKAGES, ...BROWSER_PACKAGES]));
  /** A cluster of Postgres 15. */
  readonly cluster = once(() => this.#start(15));
  readonly cluster17 = once(() => this.#start(17));
  /** A database that was empty until `supabase db push` filled it. Rejects when the push failed. */
  readonly pushed = once(() => this.#push());
  readonly #template = once(async () => {
    await this.pushed();
    await withServer((await this.cluster()).url(TEMPLATE), installTestSql);
  });
  readonly #template17 = once(async () => {
    const url = await (await this.cluster17()).createDatabase(TEMPLATE);
    await withServer(url, async (db) => {
      await migrate(db);
      await installTestSql(db);
    });
  });
  readonly #clusters: Cluster[] = [];

  constructor(options: TestOptions) {
    this.options = options;
  }

  /** Creates a migrated database (on 15 by `supabase db push`) with the functions of tests/sql, and returns its URL. */
  async createMigratedDatabase(name: string, version: PostgresVersion = 15): Promise<string> {
    await (version === 15 ? this.#template() : this.#template17());
    const cluster = await (version === 15 ? this.cluster() : this.cluster17());
    return await cluster.createDatabase(name, TEMPLATE);
  }

  async #start(version: PostgresVersion): Promise<Cluster> {
    await ensurePackages();
    const cluster = await startCluster({ version });
    this.#clusters.push(cluster);
    return cluster;
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
    for (const cluster of this.#clusters) await cluster.stop();
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
