import { Cron } from "croner";
import type { Database } from "../lib/database.ts";
import { type Job, runJob } from "../lib/stack/jobs.ts";

/**
 * Runs jobs on their schedules in UTC, as pg_cron does, until the result is disposed of. A job that is still running is not
 * started again. Each failure calls `onFailure` with a line.
 */
export function runJobs(db: Database, jobs: readonly Job[], onFailure: (line: string) => void): Disposable {
  const crons = jobs.map((job) =>
    new Cron(job.schedule, { timezone: "UTC", protect: true }, async () => {
      const at = new Date().toISOString();
      await runJob(db, job, (reason) => onFailure(`job ${job.job_name} failed at ${at}: ${reason}`));
    })
  );
  return { [Symbol.dispose]: () => crons.forEach((cron) => cron.stop()) };
}

/** Whether the database's own pg_cron runs the jobs of pgbars. */
export async function hasScheduledJobs(db: Database): Promise<boolean> {
  const [row] = await db.query<{ found: boolean }>("select to_regclass('cron.job') is not null as found");
  if (!row!.found) return false;
  const jobs = await db.query(
    "select from cron.job as j where j.jobname like 'pgbars:%' and j.active and j.database = current_database()",
  );
  return jobs.length > 0;
}
