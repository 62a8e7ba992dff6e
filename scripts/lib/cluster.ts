import { openServer } from "./database.ts";
import { installPostgres17 } from "./postgres_from_npm.ts";
import { run } from "./process.ts";

/** The versions of Postgres that run here. 15 is Debian's and has pg_cron; 17 comes from npm, without extensions. */
export type PostgresVersion = 15 | 17;

/** A running cluster. The superuser is `postgres`, trusted without a password on 127.0.0.1 and the socket. */
export interface Cluster {
  /** Connection URL over TCP of a database. Without a name it is `postgres`, which has pg_cron. */
  url(database?: string): string;
  /**
   * Creates a database and returns its URL. With `template` it starts as a copy of that database, to which no session may
   * be connected: never `postgres`, where pg_cron's launcher is. Rejects when the name is taken.
   */
  createDatabase(name: string, template?: string): Promise<string>;
  /** Stops the server and removes its files; for an attached cluster (see `useCluster`) does nothing. Safe to repeat. */
  stop(): Promise<void>;
  readonly port: number;
  /** Folder of the Unix socket, for clients that take a `host`. */
  readonly socketDir: string;
  /** Folder of the Postgres programs: `pg_dump`, `pg_config` and so on for 15, only the server's own for 17. */
  readonly binDir: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ClusterOptions {
  /** The version that the environment variable `PGBARS_POSTGRES` names when absent, or else 15. */
  version?: PostgresVersion;
  /** Server settings by name, on top of and over the defaults, e.g. `{ shared_buffers: "1GB" }`. */
  settings?: Record<string, string>;
}

/** Names the version of Postgres that tests run on. */
export const VERSION_VARIABLE = "PGBARS_POSTGRES";

/** Names the running cluster that `useCluster` attaches to: a URL as `Cluster.url()` returns it. */
export const CLUSTER_URL_VARIABLE = "PGBARS_TEST_URL";

/**
 * Runs in the background as the server's user for as long as its standard input stays open. The pipe closes when this
 * process stops the cluster, and also when it crashes or is killed, so that neither server nor files are left behind.
 */
const SUPERVISOR = `
trap '' INT TERM HUP PIPE
trap '"$bin/pg_ctl" stop --pgdata="$dir/data" --mode=immediate --silent; rm -rf "$dir"' EXIT
"$bin/initdb" --pgdata="$dir/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \\
  --no-sync --no-instructions >"$dir/log" 2>&1 &&
  printf '%s\\n' "$settings" >>"$dir/data/postgresql.conf" &&
  "$bin/pg_ctl" start --pgdata="$dir/data" --log="$dir/log" --wait --silent >>"$dir/log" 2>&1 &&
  echo ready || { cat "$dir/log"; exit 1; }
read -r _
`;

/**
 * Starts a throwaway Postgres. It listens on 127.0.0.1 and a Unix socket only, keeps UTC, and gives up durability for
 * speed. Postgres refuses to run as root, so root runs it as the user `postgres`. On 15 pg_cron is preloaded and works in
 * the database `postgres`, where the extension still has to be created.
 *
 * pg_cron 1.4 has two ways to run a job: connect to the socket as a client does, or use a background worker. Here it
 * connects (`cron.host`), which needs no worker slots and gives a job the rights of any client of its role. A `call` of a
 * procedure that commits works both ways.
 *
 * Rejects with the server's log when it does not start, and with the folders searched when Postgres 15 is not installed.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const version = options.version ?? defaultVersion();
  const installed = version === 15 ? await findBinDir() : `${await installPostgres17()}/bin`;
  const owner = await serverOwner();
  const dir = await Deno.makeTempDir({ prefix: "pgbars-" });
  const binDir = version === 17 && owner ? await copyForOwner(installed, dir) : installed;
  if (owner) await chownAll(dir, owner);
  const port = freePort();

  const supervisor = new Deno.Command("sh", {
    args: ["-c", SUPERVISOR],
    cwd: dir,
    env: {
      bin: binDir,
      dir,
      settings: renderSettings({ ...defaultSettings(dir, port, version), ...options.settings }),
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    ...owner,
  }).spawn();

  const output = supervisor.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.endsWith("ready\n")) {
    const { value, done } = await output.read();
    if (done) throw new Error(`Postgres did not start.\n${said}`);
    said += value;
  }

  let stopped: Promise<void> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      await supervisor.stdin.close();
      await output.cancel();
      await supervisor.status;
    })();
  return describeCluster(port, dir, binDir, stop);
}

/**
 * The cluster that the environment variable `PGBARS_TEST_URL` names, or else a new one as `startCluster` makes it. Databases
 * in a shared cluster need names of their own. Its database `postgres` is shared too, so a test that schedules pg_cron jobs
 * starts its own cluster.
 */
export async function useCluster(): Promise<Cluster> {
  const url = Deno.env.get(CLUSTER_URL_VARIABLE);
  if (!url) return await startCluster();
  const db = await openServer(url);
  try {
    const [row] = await db.query<{ socketDir: string; binDir: string }>(
      `select current_setting('unix_socket_directories') as "socketDir",
         (select c.setting from pg_config() as c where c.name = 'BINDIR') as "binDir"`,
    );
    const { socketDir, binDir } = row!;
    return describeCluster(Number(new URL(url).port), socketDir, binDir, () => Promise.resolve());
  } finally {
    await db.close();
  }
}

function describeCluster(port: number, socketDir: string, binDir: string, stop: () => Promise<void>): Cluster {
  const url = (database = "postgres") =>
    `postgresql://postgres@127.0.0.1:${port}/${encodeURIComponent(database)}?sslmode=disable`;
  const createDatabase = async (name: string, template = "template1") => {
    const db = await openServer(url());
    try {
      await db.query(`create database ${quoteIdentifier(name)} template ${quoteIdentifier(template)}`);
    } finally {
      await db.close();
    }
    return url(name);
  };
  return { url, createDatabase, stop, port, socketDir, binDir, [Symbol.asyncDispose]: stop };
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function defaultSettings(dir: string, port: number, version: PostgresVersion): Record<string, string> {
  return {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: dir,
    timezone: "UTC",
    log_timezone: "UTC",
    fsync: "off",
    full_page_writes: "off",
    synchronous_commit: "off",
    wal_level: "minimal",
    max_wal_senders: "0",
    max_wal_size: "4GB",
    shared_buffers: "256MB",
    max_worker_processes: "20",
    ...(version === 15 && {
      shared_preload_libraries: "pg_cron",
      "cron.database_name": "postgres",
      "cron.host": dir,
    }),
  };
}

function renderSettings(settings: Record<string, string>): string {
  return Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`).join("\n");
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** The version that the environment asks for. */
export function defaultVersion(): PostgresVersion {
  const name = Deno.env.get(VERSION_VARIABLE) ?? "15";
  if (name !== "15" && name !== "17") throw new Error(`${VERSION_VARIABLE} is ${name}, and must be 15 or 17`);
  return Number(name) as PostgresVersion;
}

/** Copies the server's programs into its folder: the project's folder may be closed to the user who runs the server. */
async function copyForOwner(binDir: string, dir: string): Promise<string> {
  await runQuietly("cp", ["--recursive", "--no-dereference", `${binDir}/..`, `${dir}/postgres`]);
  return `${dir}/postgres/bin`;
}

async function chownAll(dir: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  await runQuietly("chown", ["--recursive", `${uid}:${gid}`, dir]);
}

async function runQuietly(program: string, args: string[]): Promise<void> {
  const { code, report } = await run(program, args);
  if (code !== 0) throw new Error(report);
}

/** Looks in Debian's folder first, then for a `pg_config` on the path, and takes only version 15. */
async function findBinDir(): Promise<string> {
  const candidates = ["/usr/lib/postgresql/15/bin/pg_config", "pg_config"];
  for (const candidate of candidates) {
    const version = await readLine(candidate, ["--version"]);
    const binDir = await readLine(candidate, ["--bindir"]);
    if (version?.startsWith("PostgreSQL 15.") && binDir) return binDir;
  }
  throw new Error(`Postgres 15 is not installed: looked for ${candidates.join(" and ")}.`);
}

async function serverOwner(): Promise<{ uid: number; gid: number } | undefined> {
  if (Deno.uid() !== 0) return undefined;
  const uid = await readLine("id", ["-u", "postgres"]);
  const gid = await readLine("id", ["-g", "postgres"]);
  if (!uid || !gid) throw new Error("Postgres does not run as root, and there is no user postgres to run it as.");
  return { uid: Number(uid), gid: Number(gid) };
}

async function readLine(program: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
