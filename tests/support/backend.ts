import assert from "node:assert/strict";
import { type Database, openServer } from "../../scripts/lib/database.ts";
import { readValue } from "./dispatch.ts";
import type { Engine } from "./engine.ts";
import { waitUntil } from "./wait.ts";

/** A statement under way: the process that runs it, and how it ends. */
export interface Running {
  pid: number;
  end: Promise<unknown>;
}

/** Starts statements in `session` and waits until they sleep in `pg_sleep`, and until `condition` (SQL) holds as well. */
export async function runUntilAsleep(
  engine: Engine,
  session: Database,
  sql: string,
  condition = "true",
): Promise<Running> {
  const pid = await readValue<number>(session, "select pg_backend_pid()");
  const watcher = await openServer(engine.url);
  const end = session.exec(sql);
  end.catch(() => {});
  await waitUntil(() =>
    readValue<boolean>(
      watcher,
      `select coalesce((select a.wait_event = 'PgSleep' from pg_stat_activity as a where a.pid = $1), false) and (${condition})`,
      [pid],
    )
  );
  await watcher.close();
  return { pid, end };
}

/** Ends a backend as a crash does: the server ends every session, recovers, and accepts new ones. */
export async function killBackend(engine: Engine, pid: number): Promise<void> {
  // Until another session has ended too, the server has not noticed the crash and accepts sessions that it will end.
  const witness = await runUntilAsleep(engine, await engine.connect(), "select pg_sleep(60)");
  Deno.kill(pid, "SIGKILL");
  await assert.rejects(witness.end);
  await waitUntil(() => accepts(engine.url));
}

/** Ends a backend as an operator does: only its own transaction is rolled back. */
export async function terminateBackend(engine: Engine, pid: number): Promise<void> {
  const session = await engine.connect();
  await session.query("select pg_terminate_backend($1, 5000)", [pid]);
}

async function accepts(url: string): Promise<boolean> {
  try {
    await (await openServer(url)).close();
    return true;
  } catch {
    return false;
  }
}
