import type { Database } from "../lib/database.ts";
import { assets } from "./assets.ts";
import { type Bar, HOUR, MINUTE } from "./bar.ts";
import { generateBars, historyEnd, lateStretch, type Market } from "./generator.ts";
import { loadBars, type LoadResult } from "./load.ts";
import type { Problems } from "./problems.ts";
import type { Step } from "./progress.ts";
import { registerAssets } from "./registry.ts";

/** What a run has loaded, and what is left for its live part. Times are milliseconds since the epoch. */
export interface Loaded {
  result: LoadResult;
  /** The demo's clock after the load: the live part begins here. */
  clock: number;
  /** Where the clock stops. */
  end: number;
  /** Bars that come in after `clock`, in order of time. */
  live: Bar[];
  /** Bars of the history that come in after everything else, in order of time. */
  late: Bar[];
}

/** The latest ingested 1m bar of the database, undefined when there is none. */
export async function latestBar(db: Database): Promise<number | undefined> {
  const [row] = await db.query<{ ts_utc: Date | null }>(
    "select max(ts_utc) as ts_utc from public.data_bars where source <> 'synthetic'",
  );
  return row?.ts_utc?.getTime();
}

/**
 * Registers and loads the generated market. Its history first, but for what comes late; on a database that an earlier run has played further,
 * up to where that run stopped, so that the live part goes on from there.
 */
export async function loadMarket(
  db: Database,
  market: Market,
  liveHours: number,
  problems: Problems,
  step: Step,
): Promise<Loaded> {
  const latest = await latestBar(db);
  const clock = Math.max(historyEnd(market), latest === undefined ? 0 : latest + MINUTE);
  const end = clock + liveHours * HOUR;
  const rows = assets.map((asset) => {
    const [first] = generateBars(market, asset, 0, clock);
    return { ...asset, firstBar: first!.ts };
  });
  await registerAssets(db, rows, { source: "generated", ...market });

  const { symbol, from, to } = lateStretch();
  const late: Bar[] = [];
  function* history() {
    for (const [index, asset] of assets.entries()) {
      step.update(index / assets.length, asset.symbol);
      for (const bar of generateBars(market, asset, 0, clock)) {
        if (bar.symbol === symbol && bar.ts >= from && bar.ts < to) late.push(bar);
        else yield bar;
      }
    }
  }
  const result = await loadBars(db, history(), problems);
  const live = assets.flatMap((asset) => [...generateBars(market, asset, clock, end)]).sort((a, b) => a.ts - b.ts);
  return { result, clock, end, live, late };
}
