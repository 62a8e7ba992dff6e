import { type Cluster, useCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";

/** A migrated database on a Postgres 15, with as many sessions as a test asks for. */
export interface Engine {
  /** The first session. */
  readonly db: Database;
  readonly url: string;
  readonly cluster: Cluster;
  /** Opens a further session, closed with the engine at the latest. */
  connect(): Promise<Database>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Creates a database of its own in `cluster` and applies the migrations. Without `cluster` it is the tests' shared one. */
export async function openEngine(cluster?: Cluster): Promise<Engine> {
  const own = cluster === undefined;
  const target = cluster ?? await useCluster();
  const url = await target.createDatabase(`pgbars_${crypto.randomUUID().replaceAll("-", "")}`);
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

/** The driver takes seconds to close a session that the server has broken off, unless it has connected again. */
async function closeSession(session: Database): Promise<void> {
  await session.query("select 1").catch(() => {});
  await session.close();
}

/** Empties every table but the list of timeframes, DXY included; the notes last, for emptying the bars leaves one. */
export async function clearEngine(db: Database): Promise<void> {
  await db.exec(`
    truncate public.data_bars, public.derived_data_bars, public.data_agg_state, agg.run_log, agg.alert;
    truncate agg.change_note, agg.correction;
    delete from public.core_asset_registry_all;
  `);
}
