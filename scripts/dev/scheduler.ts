import { Cron } from "croner";
import type { Database } from "../lib/database.ts";
import { describeError } from "../../cli/lib/error.ts";
import { type Job, runJob } from "../lib/stack/jobs.ts";
import type { LocalStack } from "../lib/stack/stack.ts";

/**
 * Runs jobs on their schedules in UTC, as pg_cron does, until the result is disposed of. A job that is still running is not
 * started again, nor while `afterJob` is. Each failure calls `onFailure` with a line.
 */
export function runJobs(
  db: Database,
  jobs: readonly Job[],
  onFailure: (line: string) => void,
  afterJob: (job: Job) => Promise<void> = () => Promise.resolve(),
): Disposable {
  const crons = jobs.map((job) =>
    new Cron(job.schedule, { timezone: "UTC", protect: true }, async () => {
      const at = new Date().toISOString();
      await runJob(db, job, (reason) => onFailure(`job ${job.job_name} failed at ${at}: ${reason}`));
      await afterJob(job);
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

/**
 * Asks the function deliver-alerts of a stack, after the maintenance job, to send what is ready, as pg_net does where the
 * database has it. A failure calls `onFailure` with a line.
 */
export function deliverAfterMaintenance(
  db: Database,
  { url, keys }: Pick<LocalStack, "url" | "keys">,
  onFailure: (line: string) => void,
): (job: Job) => Promise<void> {
  return async ({ job_name }) => {
    if (job_name !== "pgbars:maintain") return;
    try {
      const targets = await db.query("select from agg.alert_target");
      if (targets.length === 0) return;
      const response = await fetch(`${url}/functions/v1/deliver-alerts`, {
        method: "POST",
        headers: { apikey: keys.named.deliver_alerts, "content-type": "application/json" },
        body: "{}",
      });
      const text = await response.text();
      if (!response.ok) onFailure(`deliver-alerts answered ${response.status}: ${text}`);
    } catch (error) {
      onFailure(`deliver-alerts was not called: ${describeError(error)}`);
    }
  };
}
