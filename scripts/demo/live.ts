import { Cron } from "croner";
import type { Database } from "../lib/database.ts";
import { readJobs, runJob } from "../lib/stack/jobs.ts";
import { type Bar, MINUTE } from "../../cli/lib/import/bar.ts";
import { catchUp } from "./catch_up.ts";
import { loadBars } from "./load.ts";
import type { Problems } from "../../cli/lib/import/problems.ts";

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

/** Whether the cron expression names the minute of `time`, in UTC. Throws when it is no cron expression. */
export function cronMatches(schedule: string, time: Date): boolean {
  return new Cron(schedule, { timezone: "UTC", mode: "5-part" }).match(time);
}

/**
 * Plays `[from, to]`, minute by minute, as pg_cron would: at each full minute the bar of the minute before has come in
 * and every job of `agg.job_list` whose schedule names the minute runs. `bars` are in order of time, none before
 * `from`; times are milliseconds since the epoch. The failure of a job goes to `problems`, and the rest goes on.
 */
export async function playLive(
  db: Database,
  bars: readonly Bar[],
  span: { from: number; to: number },
  problems: Problems,
  onMinute: (time: Date) => void,
): Promise<LiveResult> {
  const result = { arrived: 0, jobs: 0 };
  const { last: lastRun } = await readRunLog(db, 0);
  let next = 0;
  for (let time = span.from + MINUTE; time <= span.to; time += MINUTE) {
    const first = next;
    while (next < bars.length && bars[next]!.ts < time) next++;
    const loaded = await loadBars(db, bars.slice(first, next), problems);
    result.arrived += loaded.inserted;

    const now = new Date(time);
    const jobs = await readJobs(db, now);
    for (const job of jobs.filter((one) => cronMatches(one.schedule, now))) {
      result.jobs++;
      await runJob(db, job, (reason) => problems.fail(`job ${job.job_name} at ${now.toISOString()}: ${reason}`));
    }
    onMinute(now);
  }
  const { bars: built, failed } = await readRunLog(db, lastRun);
  return { ...result, bars: built, failed };
}

/** Sums over the runs that the dispatcher has logged after run `after`. */
async function readRunLog(db: Database, after: number) {
  const [row] = await db.query<{ last: number; bars: number; failed: number }>(
    `select coalesce(max(r.run_id), 0) as last, coalesce(sum(r.bars_created), 0)::bigint as bars,
       coalesce(sum(r.failed), 0) as failed
     from agg.run_log as r where r.run_id > $1`,
    [after],
  );
  return row!;
}

/** What late bars led to. */
export interface LateResult {
  /** 1m bars that were not there yet, or otherwise. */
  arrived: number;
  /** Bars built again from them: for a symbol how many of each timeframe, such as `5m: 9, 1h: 1`. */
  corrected: { symbol: string; bars: string }[];
  /** Time of the dispatcher alone. */
  milliseconds: number;
  failed: number;
}

/** The wall clock of the database, which stamps `updated_at`. */
export async function databaseClock(db: Database): Promise<string> {
  const [row] = await db.query<{ now: string }>("select clock_timestamp()::text as now");
  return row!.now;
}

/** Bars written since `began` into windows that their task has decided. */
export async function countLateBars(db: Database, began: string): Promise<number> {
  const [row] = await db.query<{ bars: number }>(
    `select count(*) as bars
     from public.data_bars as b
     join public.data_agg_state as s on s.canonical_symbol = b.canonical_symbol and s.source_timeframe = '1m' and s.timeframe <> '1m'
     where b.updated_at >= $1::timestamptz
       and b.ts_utc < s.last_agg_bar_ts_utc + make_interval(mins => s.run_interval_minutes)`,
    [began],
  );
  return row!.bars;
}

/** Writes bars of windows that are decided already, and runs the dispatcher at `now` until it is idle. */
export async function deliverLate(db: Database, bars: Bar[], now: Date, problems: Problems): Promise<LateResult> {
  const began = await databaseClock(db);
  const { inserted, changed } = await loadBars(db, bars, problems);
  const { failed, milliseconds } = await catchUp(db, now, () => {});
  const corrected = await db.query<{ symbol: string; bars: string }>(
    `select w.canonical_symbol as symbol, string_agg(format('%s: %s', w.timeframe, w.bars), ', ' order by w.duration) as bars
     from (
       select d.canonical_symbol, d.timeframe, t.duration, count(*) as bars
       from (
         select d.canonical_symbol, d.timeframe, d.updated_at from public.derived_data_bars as d
         union all
         select b.canonical_symbol, b.timeframe, b.updated_at from public.data_bars as b where b.source = 'synthetic'
       ) as d
       join agg.timeframe as t on t.timeframe = d.timeframe
       where d.updated_at >= $1::timestamptz
       group by d.canonical_symbol, d.timeframe, t.duration
     ) as w
     group by w.canonical_symbol
     order by w.canonical_symbol`,
    [began],
  );
  return { arrived: inserted + changed, corrected, milliseconds, failed };
}
