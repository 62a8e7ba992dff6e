import { type Cluster, startCluster } from "../../scripts/lib/cluster.ts";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { run, type RunResult } from "../../scripts/lib/process.ts";
import { ACCESS_TOKEN, PROJECT_HOST, serveManagementApi } from "../support/management_api.ts";

/** A copy of the project's `supabase` folder, and a stand-in for a hosted project that the Supabase CLI can link it to. */
export interface LinkedProject {
  /** What `supabase link` takes. */
  readonly ref: string;
  /** A session on the database that stands in for that of the hosted project. It has pg_cron, and it is empty. */
  readonly db: Database;
  /** Where the CLI looks for the database of a local stack; no server listens there. */
  readonly localAddress: string;
  /** Runs shell lines in the copy, as a reader of the docs does who has signed in to the CLI. */
  runLines(lines: string): Promise<RunResult>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openLinkedProject(): Promise<LinkedProject> {
  await using started = new AsyncDisposableStack();
  const ref = Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => LETTERS[byte % 26]).join("");
  const cluster = started.use(await startCluster());
  const api = started.use(await serveManagementApi((request) => answerLink(request, ref, cluster)));
  const folder = await Deno.makeTempDir({ prefix: "pgbars-" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const localAddress = `127.0.0.1:${freePort()}`;
  await copyProject(folder, localAddress);
  const db = await openServer(cluster.url());
  started.defer(() => db.close());
  await db.exec(`create role "postgres.${ref}" superuser login`);
  const env = {
    SUPABASE_ACCESS_TOKEN: ACCESS_TOKEN,
    SUPABASE_PROFILE: api.profile,
    SUPABASE_DB_PASSWORD: "trusted without one",
    SUPABASE_YES: "1",
    SUPABASE_NO_UPDATE_NOTIFIER: "1",
    SUPABASE_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    npm_config_yes: "true",
    npm_config_prefer_offline: "true",
  };
  const running = started.move();
  return {
    ref,
    db,
    localAddress,
    runLines: (lines) => run("sh", ["-ec", `cd '${folder}'\n${lines}`], { env }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/**
 * Answers what `supabase link` asks for. The CLI replaces the port of a pooler by 5432, but only that of the first host.
 * So the first one does not exist, and the throwaway server is the second one.
 */
function answerLink(request: Request, ref: string, cluster: Cluster): Response {
  const { pathname } = new URL(request.url);
  if (pathname.endsWith("/config/database/pooler")) {
    const url = `postgresql://postgres.${ref}@pooler.${PROJECT_HOST}:5432,127.0.0.1:${cluster.port}/postgres`;
    const address = { db_user: "postgres", db_host: `pooler.${PROJECT_HOST}`, db_port: 5432, db_name: "postgres" };
    return Response.json([{
      ...{ identifier: ref, database_type: "PRIMARY", is_using_scram_auth: true, pool_mode: "transaction", ...address },
      ...{ connection_string: url, connectionString: url, default_pool_size: null, max_client_conn: null },
    }]);
  }
  if (pathname.endsWith("/api-keys")) {
    return Response.json([{ name: "anon", api_key: "anon", id: "1", type: "legacy" }]);
  }
  if (pathname !== `/v1/projects/${ref}`) return Response.json([]);
  return Response.json({
    ...{ id: ref, ref, name: "standin", organization_id: "standin", organization_slug: "standin" },
    ...{ region: "eu-central-1", created_at: "2026-01-01T00:00:00Z", status: "ACTIVE_HEALTHY" },
    database: { host: `db.${ref}.${PROJECT_HOST}`, version: "15", postgres_engine: "15", release_channel: "ga" },
  });
}

async function copyProject(folder: string, localAddress: string): Promise<void> {
  await Deno.mkdir(`${folder}/supabase/migrations`, { recursive: true });
  for (const { name } of Deno.readDirSync("supabase/migrations")) {
    await Deno.copyFile(`supabase/migrations/${name}`, `${folder}/supabase/migrations/${name}`);
  }
  const [, port] = localAddress.split(":");
  const config = await Deno.readTextFile("supabase/config.toml");
  await Deno.writeTextFile(`${folder}/supabase/config.toml`, config.replace("[db]\n", `[db]\nport = ${port}\n`));
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
