import { migrate } from "../lib/migrations.ts";
import { describeServer } from "../lib/server_url.ts";
import { type Backend, openEmbeddedBackend, openServerBackend } from "../lib/stack/backend.ts";
import { FUNCTIONS_FOLDER } from "../lib/stack/functions.ts";
import { readJobs } from "../lib/stack/jobs.ts";
import { type LocalStack, openStack } from "../lib/stack/stack.ts";
import { takeFolder } from "./folder.ts";
import type { DevOptions } from "./options.ts";
import { hasScheduledJobs, runJobs } from "./scheduler.ts";
import { untilStopped } from "./stop.ts";
import { watchFolder } from "./watch.ts";
import { welcome } from "./welcome.ts";

/** Runs the stack until the process is asked to end. Throws an Error with a line for people when it cannot start. */
export async function runDev(options: DevOptions): Promise<void> {
  const stopped = untilStopped();
  const functionsFolder = options.functions ?? FUNCTIONS_FOLDER;
  await checkFunctions(functionsFolder);
  await using running = new AsyncDisposableStack();
  if (options.keep !== undefined) running.use(await takeFolder(options.keep));
  const backend = await openBackend(options);
  running.defer(() => backend.close());
  const applied = await migrate(backend.db);
  if (options.db !== undefined && applied.length > 0) console.log(`${applied.length} migrations applied\n`);

  const stack = running.use(await startStack(backend, options.port, functionsFolder));
  running.use(watchFolder(functionsFolder, () => reload(stack)));
  const jobs = await hasScheduledJobs(backend.db) ? null : await readJobs(backend.db);
  if (jobs !== null) running.use(runJobs(backend.db, jobs, console.error));

  console.log(welcome({ ...stack, database: describeDatabase(options), functionsFolder, jobs }));
  await stopped;
  console.log("Ending.");
}

async function openBackend({ db, keep }: DevOptions): Promise<Backend> {
  if (db === undefined) return await openEmbeddedBackend(keep);
  try {
    return await openServerBackend(db);
  } catch (cause) {
    throw new Error(`--db: cannot connect: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

async function checkFunctions(folder: string): Promise<void> {
  try {
    if ((await Deno.stat(folder)).isDirectory) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new Error(`--functions ${folder}: there is no such folder`);
}

async function startStack(backend: Backend, port: number, folder: string): Promise<LocalStack> {
  try {
    return await openStack(backend, { port, folder });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    throw new Error(
      `port ${port} is taken, perhaps by another stack: end that one, or give another port with --port (0 takes any free one)`,
      { cause },
    );
  }
}

async function reload({ functions }: LocalStack): Promise<void> {
  try {
    await functions.restart();
    console.log("The functions were loaded again.");
  } catch (error) {
    console.error(`The functions stay as they were: ${error instanceof Error ? error.message : error}`);
  }
}

function describeDatabase({ db, keep }: DevOptions): string {
  if (db !== undefined) return `the Postgres at ${describeServer(db)}.`;
  return keep === undefined
    ? "an embedded Postgres in memory, gone when it ends."
    : `the embedded Postgres in ${keep}.`;
}
