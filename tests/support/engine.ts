import { type Cluster, CLUSTER_URL_VARIABLE, useCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";

/** A migrated database on a server, with as many sessions as a test asks for. */
export interface Engine {
  /** The first session. */
  readonly db: Database;
  readonly url: string;
  readonly cluster: Cluster;
  /** Opens a further session, closed with the engine at the latest. */
  connect(): Promise<Database>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates a migrated database of its own in `cluster`, and opens a session on it. Without `cluster` it is the one that the
 * tests share, or else a new one that stops with the engine.
 */
export async function openEngine(cluster?: Cluster): Promise<Engine> {
  const own = cluster === undefined;
  const target = cluster ?? await useCluster();
  const name = `pgbars_${crypto.randomUUID().replaceAll("-", "")}`;
  const url = own && Deno.env.has(CLUSTER_URL_VARIABLE)
    ? await target.createDatabase(name, await migratedTemplate(target))
    : await target.createDatabase(name);
  const sessions: Database[] = [];
  const connect = async () => {
    const session = await openServer(url);
    sessions.push(session);
    return session;
  };
  const db = await connect();
  await migrate(db);
  return {
    db,
    url,
    cluster: target,
    connect,
    async [Symbol.asyncDispose]() {
      await Promise.all(sessions.map(closeSession));
      if (own) await target.stop();
    },
  };
}

const TEMPLATE = "pgbars_engine";

/** The migrated database that test files copy. The first one that asks for it makes it, and the others wait. */
async function migratedTemplate(cluster: Cluster): Promise<string> {
  const db = await openServer(cluster.url());
  try {
    await db.query("select pg_advisory_lock(hashtext($1))", [TEMPLATE]);
    const found = await db.query("select from pg_database as d where d.datname = $1", [TEMPLATE]);
    if (found.length === 0) {
      await db.exec(`drop database if exists ${TEMPLATE}_part`);
      const part = await openServer(await cluster.createDatabase(`${TEMPLATE}_part`));
      await migrate(part).finally(() => part.close());
      await db.exec(`alter database ${TEMPLATE}_part rename to ${TEMPLATE}`);
    }
    return TEMPLATE;
  } finally {
    await db.close();
  }
}

/** The driver takes seconds to close a session that the server has ended, unless it has connected again. */
async function closeSession(session: Database): Promise<void> {
  await session.query("select 1").catch(() => {});
  await session.close();
}

/** Empties every table except the list of timeframes. The notes come last, since truncating the bars writes one. */
export async function clearEngine(db: Database): Promise<void> {
  await db.exec(`
    truncate public.data_bars, public.derived_data_bars, public.data_agg_state, agg.run_log, agg.run_total;
    truncate agg.alert, agg.alert_target, agg.delivery, agg.change_note, agg.correction, agg.floor;
    delete from public.core_asset_registry_all;
  `);
}
