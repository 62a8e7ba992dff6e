import type { Database } from "../lib/database.ts";
import { assets } from "./assets.ts";
import { type Bar, HOUR, MINUTE } from "../../cli/lib/import/bar.ts";
import type { ReadOptions } from "../../cli/lib/import/layout.ts";
import { readBars } from "../../cli/lib/import/read_bars.ts";
import { add, BARS_PER_CALL, nothingStored, upsert } from "../../cli/lib/import/upsert.ts";
import { generateBars, historyEnd, lateStretch, type Market } from "./generator.ts";
import type { Problems } from "../../cli/lib/import/problems.ts";
import type { Step } from "./progress.ts";
import { registerAssets, syntheticSeries } from "./registry.ts";

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

/**
 * Registers and loads the generated market: its history, but for what comes late. On a database that an earlier run has
 * played further, the load ends where that run stopped, and the live part goes on from there.
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

/**
 * Loads bar files and registers their symbols, each from the hour of its first bar. The bars of the last hours of all are
 * held back for the live part, unless the database has later ones already. Returns undefined when neither the files nor
 * the database have a bar.
 */
export async function loadFiles(
  db: Database,
  files: readonly string[],
  options: ReadOptions,
  liveHours: number,
  problems: Problems,
  onNotice: (message: string) => void,
  step: Step,
): Promise<Loaded | undefined> {
  const sizes = await Promise.all(files.map(async (file) => (await Deno.stat(file)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const before = await latestBar(db);
  const firstBars = new Map<string, number>();
  let latest = before ?? -Infinity;
  let held: Bar[] = [];
  let bytes = 0;

  async function* watched() {
    const computed = new Set((await syntheticSeries(db)).keys());
    const parts = readBars(files, options, computed, {
      onLayout: (file, { unused }) => {
        if (unused.length > 0) onNotice(`${file}: columns not used: ${unused.join(", ")}`);
      },
      onRefused: (row) => problems.refuseRow(row),
      onFailure: (file, problem, isOther) =>
        isOther ? onNotice(`${file} is left out: ${problem}`) : problems.fail(`${file}: ${problem}`),
      onBytes: (count) => bytes += count,
    });
    for await (const bar of flatten(parts)) {
      firstBars.set(bar.symbol, Math.min(bar.ts, firstBars.get(bar.symbol) ?? Infinity));
      latest = Math.max(latest, bar.ts);
      yield bar;
    }
  }
  async function* history() {
    held = yield* holdRecent(watched(), liveHours * HOUR);
  }
  const result = await loadBars(db, history(), problems, () => step.update(bytes / totalBytes));
  if (latest === -Infinity) return undefined;

  await registerAssets(
    db,
    [...firstBars].map(([symbol, firstBar]) => ({
      symbol,
      assetClass: null,
      description: "Loaded from a file by the demo",
      firstBar,
    })),
    { source: "files" },
  );

  const end = settledAt(latest);
  const clock = liveHours === 0 || latest === before ? end : latest + MINUTE - liveHours * HOUR;
  const late = await loadBars(db, held.filter((bar) => bar.ts < clock), problems);
  return {
    result: {
      inserted: result.inserted + late.inserted,
      changed: result.changed + late.changed,
      unchanged: result.unchanged + late.unchanged,
    },
    clock,
    end,
    live: held.filter((bar) => bar.ts >= clock),
    late: [],
  };
}

/** When the hour that holds the minute `ts` may be decided: five minutes after its end. */
function settledAt(ts: number): number {
  return (Math.floor(ts / HOUR) + 1) * HOUR + 5 * MINUTE;
}

/** The latest ingested 1m bar of the database, undefined in an empty database. */
export async function latestBar(db: Database): Promise<number | undefined> {
  const [row] = await db.query<{ ts_utc: Date | null }>(
    "select max(ts_utc) as ts_utc from public.data_bars where source <> 'synthetic'",
  );
  return row?.ts_utc?.getTime();
}

/** What became of the bars given to {@link loadBars}. */
export interface LoadResult {
  inserted: number;
  /** Bars that were there with other values. */
  changed: number;
  /** Bars that were there as they are. */
  unchanged: number;
}

/**
 * Writes 1m bars through `upsert_bars`. A bar that is already there the same is left untouched; one that the database
 * refuses goes to `problems`. Of bars that share symbol and minute the last one counts.
 */
export async function loadBars(
  db: Database,
  bars: AsyncIterable<Bar> | Iterable<Bar>,
  problems: Problems,
  onBars: () => void = () => {},
): Promise<LoadResult> {
  const total = nothingStored();
  const store = async (batch: Bar[]) => {
    const stored = await upsert(batch, async (rows) => {
      const [row] = await db.query<{ answer: unknown }>("select public.upsert_bars($1::jsonb) as answer", [rows]);
      return row!.answer;
    });
    for (const row of stored.refused) problems.refuseRow(row);
    add(total, { ...stored, refused: [] });
    onBars();
  };
  let batch: Bar[] = [];
  for await (const bar of bars) {
    batch.push(bar);
    if (batch.length === BARS_PER_CALL) {
      await store(batch);
      batch = [];
    }
  }
  if (batch.length > 0) await store(batch);
  return { inserted: total.inserted, changed: total.updated, unchanged: total.unchanged };
}

async function* flatten(parts: AsyncIterable<Bar[]>): AsyncGenerator<Bar> {
  for await (const bars of parts) yield* bars;
}

/**
 * Passes on all bars but those of the last `span` milliseconds before the latest, which it returns in order of time.
 * Holds no more than the bars of one span (as far as it has seen), whatever the length and order of the input.
 */
export async function* holdRecent(bars: AsyncIterable<Bar>, span: number): AsyncGenerator<Bar, Bar[]> {
  let latest = -Infinity;
  let held: Bar[] = [];
  let checkAt = 10_000;
  for await (const bar of bars) {
    latest = Math.max(latest, bar.ts);
    if (bar.ts <= latest - span) {
      yield bar;
      continue;
    }
    held.push(bar);
    if (held.length < checkAt) continue;
    yield* held.filter((one) => one.ts <= latest - span);
    held = held.filter((one) => one.ts > latest - span);
    checkAt = held.length + 10_000;
  }
  yield* held.filter((one) => one.ts <= latest - span);
  return held.filter((one) => one.ts > latest - span).sort((a, b) => a.ts - b.ts);
}
