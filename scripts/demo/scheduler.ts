import { Cron } from "croner";
import type { Database } from "../lib/database.ts";
import { type Bar, MINUTE } from "./bar.ts";
import type { DispatcherResult } from "./catch_up.ts";
import { loadBars } from "./load.ts";
import type { Problems } from "./problems.ts";

/** What the live part did. */
export interface LiveResult {
  /** 1m bars that came in. */
  arrived: number;
  /** Jobs run. */
  jobs: number;
  /** Bars stored by them. */
  bars: number;
  /** Runs of tasks that failed. */
  failed: number;
}

interface Job {
  job_name: string;
  schedule: string;
  command: string;
}

/** Whether the cron expression names the minute of `time`, in UTC. Throws when it is no cron expression. */
export function cronMatches(schedule: string, time: Date): boolean {
  return new Cron(schedule, { timezone: "UTC", mode: "5-part" }).match(time);
}

/**
 * Plays `[from, to]`, minute by minute, as pg_cron would: at each full minute the bar of the minute before has come in
 * and every job of `agg.job_list` whose schedule names the minute runs. `bars` are in order of time, none before
 * `from`; times are milliseconds since the epoch. A job that fails is told to `problems`, and the rest goes on.
 */
export async function playLive(
  db: Database,
  bars: readonly Bar[],
  span: { from: number; to: number },
  problems: Problems,
  onMinute: (time: Date) => void,
): Promise<LiveResult> {
  const result: LiveResult = { arrived: 0, jobs: 0, bars: 0, failed: 0 };
  let next = 0;
  for (let time = span.from + MINUTE; time <= span.to; time += MINUTE) {
    const first = next;
    while (next < bars.length && bars[next]!.ts < time) next++;
    const loaded = await loadBars(db, bars.slice(first, next), problems);
    result.arrived += loaded.inserted;

    const now = new Date(time);
    const jobs = await db.query<Job>("select * from agg.job_list('prod', $1::timestamptz)", [now]);
    for (const job of jobs.filter((one) => cronMatches(one.schedule, now))) {
      result.jobs++;
      const dispatched = await runJob(db, job, now, problems);
      result.bars += dispatched?.bars_created ?? 0;
      result.failed += dispatched?.failed ?? 0;
    }
    onMinute(now);
  }
  return result;
}

async function runJob(db: Database, job: Job, now: Date, problems: Problems): Promise<DispatcherResult | undefined> {
  try {
    const [row] = await db.query<{ p_result?: DispatcherResult }>(job.command);
    return row?.p_result;
  } catch (error) {
    problems.fail(`job ${job.job_name} at ${now.toISOString()}: ${error instanceof Error ? error.message : error}`);
  }
}
