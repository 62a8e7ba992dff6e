import type { Database } from "../lib/database.ts";

const EVERY_MS = 20;

/**
 * The most private memory, in MB, that the backend of `db` held while `work` ran: `RssAnon` of `/proc/PID/status`, read every
 * 20 ms. `VmHWM` would count the pages of shared_buffers that it touched.
 */
export async function peakMemory(db: Database, work: () => Promise<unknown>): Promise<number> {
  const [row] = await db.query<{ pid: number }>("select pg_backend_pid() as pid");
  let peak = await readPrivate(row!.pid);
  let isDone = false;
  const sampling = (async () => {
    while (!isDone) {
      peak = Math.max(peak, await readPrivate(row!.pid));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  })();
  try {
    await work();
  } finally {
    isDone = true;
    await sampling;
  }
  return peak;
}

async function readPrivate(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`/proc/${pid}/status has no RssAnon`);
  return Number(kilobytes) / 1024;
}
