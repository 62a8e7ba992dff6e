import type { Database } from "../lib/database.ts";
import type { Bar } from "./bar.ts";
import { catchUp } from "./catch_up.ts";
import { loadBars } from "./load.ts";
import type { Problems } from "./problems.ts";

/** What late bars led to. */
export interface LateResult {
  /** 1m bars that were not there yet, or otherwise. */
  arrived: number;
  /** Bars built again from them, e.g. `DXY 5m` and how many; series by name, then by length of their bars. */
  corrected: { series: string; bars: number }[];
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
  const corrected = await db.query<{ series: string; bars: number }>(
    `select format('%s %s', w.canonical_symbol, w.timeframe) as series, count(*) as bars
     from (
       select d.canonical_symbol, d.timeframe, d.updated_at from public.derived_data_bars as d
       union all
       select b.canonical_symbol, b.timeframe, b.updated_at from public.data_bars as b where b.source = 'synthetic'
     ) as w
     join agg.timeframe as t on t.timeframe = w.timeframe
     where w.updated_at >= $1::timestamptz
     group by w.canonical_symbol, w.timeframe, t.duration
     order by w.canonical_symbol, t.duration`,
    [began],
  );
  return { arrived: inserted + changed, corrected, milliseconds, failed };
}
