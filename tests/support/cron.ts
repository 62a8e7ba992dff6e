import type { Cluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { readValue } from "./dispatch.ts";

/** The jobs of pgbars, in order of their names. */
export const JOBS = ["pgbars:dispatch", "pgbars:maintain"];

/** Migrates the cluster's database `postgres`, the one that has pg_cron, and opens a session on it. */
export async function openCronDatabase(cluster: Cluster): Promise<Database & AsyncDisposable> {
  const db = disposable(await openServer(cluster.url()));
  await migrate(db);
  return db;
}

/** A session that is closed when its scope ends. */
export function disposable(db: Database): Database & AsyncDisposable {
  return { ...db, [Symbol.asyncDispose]: () => db.close() };
}

/** What pg_cron runs each minute. */
export async function dispatchCommand(db: Database): Promise<string> {
  return await readValue(db, "select j.command from agg.job_list() as j where j.job_name = 'pgbars:dispatch'");
}

/** Names of all jobs that pg_cron has, in order. */
export async function jobNames(db: Database): Promise<string[]> {
  return (await db.query<{ jobname: string }>("select j.jobname from cron.job as j order by 1")).map((row) =>
    row.jobname
  );
}
