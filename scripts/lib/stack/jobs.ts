import type { Database } from "../database.ts";
import { describeError } from "../../../cli/lib/error.ts";

/** A job of pgbars. `schedule` is a cron expression of five fields, in UTC. */
export interface Job {
  job_name: string;
  schedule: string;
  command: string;
}

/** The jobs of the database's own environment. Their commands take the instant `now`, by default that of each run. */
export async function readJobs(db: Database, now?: Date): Promise<Job[]> {
  return await db.query<Job>("select * from agg.job_list(p_now => $1::timestamptz)", [now]);
}

/** Runs a job as pg_cron does. A failure calls `onFailure` with its reason; nothing is thrown. */
export async function runJob(db: Database, job: Job, onFailure: (reason: string) => void): Promise<void> {
  try {
    await db.query(job.command);
  } catch (error) {
    onFailure(describeError(error));
  }
}
