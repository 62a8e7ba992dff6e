import { stat } from "node:fs/promises";
import { describeError } from "../../cli/lib/error.ts";
import { buildDashboard } from "../dashboard/build.ts";
import { serveDashboard } from "../dashboard/serve.ts";
import { type Backend, type EmbeddedBackend, isEmbedded } from "../lib/stack/backend.ts";
import { openDataApi } from "../lib/stack/data_api.ts";
import { FUNCTIONS_FOLDER } from "../lib/stack/functions.ts";
import type { Handler } from "../lib/stack/gateway.ts";
import { readJobs } from "../lib/stack/jobs.ts";
import { KEYS, makeKeys } from "../lib/stack/keys.ts";
import { type LocalStack, startStack } from "../lib/stack/stack.ts";
import { applyMigrations, closeBackend, describeDatabase, openBackend, readSql, runSql } from "./database.ts";
import { loadDemo } from "./demo.ts";
import { openFeed, runFeed } from "./feed.ts";
import { takeFolder } from "./folder.ts";
import type { DevOptions } from "./options.ts";
import { deliverAfterMaintenance, hasScheduledJobs, runJobs } from "./scheduler.ts";
import { openSqlDoor, type SqlDoor } from "./sql_door.ts";
import { showSteps } from "./steps.ts";
import { untilStopped } from "./stop.ts";
import { watchFolder } from "./watch.ts";
import { welcome } from "./welcome.ts";

/** Runs the stack until the process is asked to end. Throws an Error with a readable line when it cannot start. */
export async function runDev(options: DevOptions): Promise<void> {
  const stopped = untilStopped();
  await using running = new AsyncDisposableStack();
  await Promise.race([stopped, start(options, running)]);
  await stopped;
  console.log("Ending.");
}

/** Starts everything. Disposing of `running` ends it, at any point of the start. */
async function start(options: DevOptions, running: AsyncDisposableStack): Promise<void> {
  const { functions: folder = FUNCTIONS_FOLDER, port, sql: sqlFile } = options;
  if (!await isFolder(folder)) throw new Error(`--functions ${folder}: there is no such folder`);
  const sql = sqlFile === undefined ? undefined : await readSql(sqlFile);
  if (options.keep !== undefined) running.use(await takeFolder(options.keep));

  const database: { opening?: Promise<Backend> } = {};
  running.defer(() => closeBackend(database.opening, options));
  // Take the port first: where it is taken, the database must stay unchanged. Requests wait for the database.
  const dataApi = Promise.withResolvers<Handler>();
  const answer: Handler = async (request) => (await dataApi.promise)(request);
  const keys = options.db === undefined ? KEYS : makeKeys();
  const files = buildDashboard();
  // Where it fails before anyone waits for it, that is not yet the end.
  files.catch(() => {});
  const pages = serveDashboard(files, { key: keys.publishable });
  const stack = running.use(takePort(() => startStack(answer, { port, folder, keys, pages }), port));

  const steps = running.use(showSteps());
  steps.begin("Opening the database");
  database.opening = openBackend(options);
  const backend = await database.opening;
  const door = isEmbedded(backend) ? running.use(await openDoor(backend, options)) : null;
  steps.begin("Applying the migrations");
  await applyMigrations(backend.db, options);
  steps.begin("Starting the Data API");
  const handler = await openDataApi(backend, keys);
  if (sql !== undefined) await runSql(backend, sql, sqlFile!);
  if (options.demo) steps.begin("Loading made-up bars");
  const demo = options.demo ? await loadDemo(backend.db, new Date(), steps.update) : null;
  if (demo !== null && options.db === undefined) await openToAll(backend);
  dataApi.resolve(handler);
  steps.begin("Building the dashboard");
  await files;
  steps.begin("Starting the functions");
  await stack.functions.started;
  steps.end();
  if (demo !== null) console.log(`${demo.minutes} made-up minutes loaded\n`);

  running.use(watchFolder(folder, () => reload(stack)));
  const jobs = await hasScheduledJobs(backend.db) ? null : await readJobs(backend.db);
  if (jobs !== null) {
    running.use(runJobs(backend.db, jobs, console.error, deliverAfterMaintenance(backend.db, stack, console.error)));
  }
  if (demo !== null) running.use(runFeed(backend.db, openFeed(demo.market, demo.end), console.log));
  const sqlUrl = door?.url ?? options.db!;
  console.log(welcome({ ...stack, sqlUrl, database: describeDatabase(options), functionsFolder: folder, jobs }));
}

/** Lets the dashboard read without a user: the bars are made up, and the database is on this machine. */
async function openToAll({ db }: Backend): Promise<void> {
  await db.exec("select public.grant_read_access('anon'); select public.grant_operations_access('anon');");
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

function takePort(start: () => LocalStack, port: number): LocalStack {
  try {
    return start();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    throw new Error(
      `port ${port} is taken, perhaps by another stack: end that one, or give another port with --port (0 takes any free one)`,
      { cause },
    );
  }
}

/** Opens the door at `--sql-port`, by default at the port after `--port`. */
async function openDoor(backend: EmbeddedBackend, { port, sqlPort }: DevOptions): Promise<SqlDoor> {
  const wanted = sqlPort ?? (port === 0 ? 0 : port + 1);
  try {
    return await openSqlDoor(backend, wanted);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "EADDRINUSE") throw cause;
    throw new Error(
      `port ${wanted} is taken: give another one for SQL clients with --sql-port (0 takes any free one)`,
      {
        cause,
      },
    );
  }
}

async function reload({ functions }: LocalStack): Promise<void> {
  try {
    if (await functions.restart()) console.log("The functions were loaded again.");
  } catch (error) {
    console.error(`The functions stay as they were: ${describeError(error)}`);
  }
}
