import { type Database, openEmbedded } from "../../scripts/lib/database.ts";
import { migrate } from "../../scripts/lib/migrations.ts";
import { openEngine } from "../support/engine.ts";

/** A migrated database with the stand-ins for pg_net and Vault. */
export interface WebhookDatabase {
  readonly db: Database;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The engines that webhooks are tested on. */
export const DATABASES: Record<string, () => Promise<WebhookDatabase>> = {
  PGlite: async () => {
    const db = await openEmbedded();
    await migrate(db);
    await addStandIns(db);
    return { db, [Symbol.asyncDispose]: () => db.close() };
  },
  "Postgres 15": async () => {
    const engine = await openEngine();
    await addStandIns(engine.db);
    return engine;
  },
};

/** Adds what stands in for pg_net and Vault. */
export async function addStandIns(db: Database): Promise<void> {
  await db.exec(await Deno.readTextFile(new URL("stand_ins.sql", import.meta.url)));
}

/** Puts URL and key into Vault, under the names that `install_webhooks` expects by default. */
export async function storeSecrets(db: Database, url: string, key: string): Promise<void> {
  await db.query(
    `select vault.create_secret($1, 'pgbars_registry_sync_url'), vault.create_secret($2, 'pgbars_registry_sync_key')`,
    [url, key],
  );
}

/** A request as pg_net's queue holds it. */
export interface QueuedRequest {
  url: string;
  headers: Record<string, string>;
  // deno-lint-ignore no-explicit-any -- payloads carry rows of every shape
  body: any;
}

/** Takes all requests out of the queue, oldest first. */
export async function takeRequests(db: Database): Promise<QueuedRequest[]> {
  return await db.query<QueuedRequest>(`
    with taken as (delete from net.http_request_queue as q returning q.*)
    select t.url, t.headers, convert_from(t.body, 'UTF8')::jsonb as body from taken as t order by t.id
  `);
}
