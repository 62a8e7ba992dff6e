import { cronMatches } from "../demo/live.ts";
import type { Database } from "../lib/database.ts";
import { readJobs } from "../lib/stack/jobs.ts";

/** A Wednesday, in UTC. */
const START = Date.UTC(2025, 6, 2);
const MINUTE = 60_000;

/** Of a hundred minutes, one lacks the bar of a symbol. */
const MISSING = 0.01;

/** The settings of a server that a checkpoint every five minutes would have; the day passes faster than that. */
const CHECKPOINT_MINUTES = 5;

export const WORK = ["ingest", "dispatch", "maintain"] as const;
export type Work = typeof WORK[number];

/** What a kind of work has cost. */
export interface Cost {
  calls: number;
  /** CPU of its backend. */
  cpuSeconds: number;
  walBytes: number;
  /** The longest call. */
  longestMs: number;
}

/** A table of bars, or its key, at the end. */
export interface Size {
  table_name: string;
  timeframe: string;
  rows: number;
  heap_bytes: number;
  index_bytes: number;
}

export interface Day {
  symbols: number;
  costs: Record<Work, Cost>;
  sizes: Size[];
  metrics: Metrics;
}

/** The success metrics of the plans that pgbars implements, at the end of the day. */
export interface Metrics {
  longest_run_s: number;
  runs: number;
  good_percent: number;
  streaks: number;
  assets_without_tasks: number;
  cursors_before_start: number;
  disabled_mandatory: number;
}

/**
 * Plays a day of `symbols` symbols on a simulated clock: a bar a minute for each, in one statement, as a feed sends them, and the
 * jobs as pg_cron starts them. `open` gives a session on an empty, migrated database. The audit, which takes what share of a
 * processor it is given, is off.
 */
export async function playDay(
  open: () => Promise<Database>,
  symbols: number,
  minutes: number,
  onHour: (hour: number) => void,
): Promise<Day> {
  await using sessions = new AsyncDisposableStack();
  const dbs = {} as Record<Work, Database>;
  for (const work of WORK) dbs[work] = sessions.adopt(await open(), (db) => db.close());
  await dbs.ingest.exec(`
    update public.core_asset_registry_all set active = false;
    update agg.environment set audit_percent = 0;
    insert into public.core_asset_registry_all (canonical_symbol, active, metadata)
    select 'S' || lpad(s::text, 5, '0'), true, '{"agg": {"start_utc": "${new Date(START).toISOString()}"}}'
    from generate_series(1, ${symbols}) as s;
    select setseed(0.5);
    analyze;
  `);

  const costs = {} as Record<Work, Cost>;
  for (const work of WORK) costs[work] = { calls: 0, cpuSeconds: 0, walBytes: 0, longestMs: 0 };
  const account = async (work: Work, sql: string, params: unknown[] = []) => {
    const [db, cost] = [dbs[work], costs[work]];
    const [before, began] = [await readUsage(db), performance.now()];
    await db.query(sql, params);
    cost.calls++;
    cost.longestMs = Math.max(cost.longestMs, performance.now() - began);
    const after = await readUsage(db);
    if (after.pid !== before.pid) throw new Error("a session was lost");
    cost.cpuSeconds += after.cpuSeconds - before.cpuSeconds;
    cost.walBytes += after.walBytes - before.walBytes;
  };

  for (let minute = 0; minute < minutes; minute++) {
    const [ts, now] = [new Date(START + minute * MINUTE), new Date(START + (minute + 1) * MINUTE)];
    await account("ingest", INGEST, [ts, symbols]);
    for (const { job_name, schedule, command } of await readJobs(dbs.dispatch, now)) {
      if (cronMatches(schedule, now)) await account(job_name === "pgbars:maintain" ? "maintain" : "dispatch", command);
    }
    if ((minute + 1) % CHECKPOINT_MINUTES === 0) await dbs.maintain.query("checkpoint");
    if ((minute + 1) % 60 === 0) onHour((minute + 1) / 60);
  }
  await dbs.maintain.query("vacuum analyze");
  const sizes = await dbs.maintain.query<Size>(
    `select z.table_name, z.timeframe, z.rows, z.heap_bytes, z.index_bytes
     from public.agg_size() as z where z.timeframe is not null and z.rows > 0 order by 1, z.rows desc`,
  );
  const [metrics] = await dbs.maintain.query<Metrics>(METRICS);
  return { symbols, costs, sizes, metrics: metrics! };
}

const INGEST = `
  insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
  select 'S' || lpad(s::text, 5, '0'), $1::timestamptz, p.price, p.price + 1, p.price - 1, p.price + 0.5, 10 + p.price, p.price + 0.25, 5
  from generate_series(1, $2::integer) as s
  cross join lateral (select 100 + random() * 10 + s * 0 as price) as p
  where random() >= ${MISSING}`;

/** Each as its plan states it. */
const METRICS = `
  select
    (select max(extract(epoch from r.finished_at - r.started_at))::float8 from agg.run_log as r) as longest_run_s,
    (select count(*)::integer from agg.run_log as r) as runs,
    (
      select (100.0 * count(*) filter (where d.quality_score >= 1) / count(*))::float8
      from public.derived_data_bars as d where d.deleted_at is null
    ) as good_percent,
    (select coalesce(max(s.hard_fail_streak), 0) from public.data_agg_state as s where s.is_mandatory) as streaks,
    (
      select count(*)::integer from public.core_asset_registry_all as r
      where r.active and 2 > (
        select count(*) from public.data_agg_state as s
        where s.canonical_symbol = r.canonical_symbol and s.timeframe in ('5m', '1h') and s.is_mandatory and s.enabled
      )
    ) as assets_without_tasks,
    (
      select count(*)::integer from public.data_agg_state as s
      where s.enabled and s.last_agg_bar_ts_utc < s.agg_start_utc - make_interval(mins => s.run_interval_minutes)
    ) as cursors_before_start,
    (select count(*)::integer from public.data_agg_state as s where s.is_mandatory and s.status = 'disabled' and s.enabled) as disabled_mandatory`;

/** What the backend of `db` has used, and how much WAL the server has written. `/proc/PID/stat` counts hundredths of a second. */
async function readUsage(db: Database): Promise<{ pid: number; cpuSeconds: number; walBytes: number }> {
  const [row] = await db.query<{ pid: number; walBytes: number }>(
    `select pg_backend_pid() as pid, (pg_current_wal_insert_lsn() - '0/0')::float8 as "walBytes"`,
  );
  const stat = await Deno.readTextFile(`/proc/${row!.pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { ...row!, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
}
