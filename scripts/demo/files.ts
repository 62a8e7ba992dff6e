import type { Database } from "../lib/database.ts";
import { type Bar, HOUR, MINUTE } from "./bar.ts";
import { listCsvFiles, readBars } from "./csv.ts";
import { holdRecent, loadBars } from "./load.ts";
import { latestBar, type Loaded } from "./market.ts";
import type { Problems } from "./problems.ts";
import type { Step } from "./progress.ts";
import { registerAssets, syntheticSeries } from "./registry.ts";

/**
 * Loads the bar files of a folder and registers their symbols, each from the hour of its first bar. The bars of the
 * last hours of all are held back for the live part, unless the database has later ones already. Without any good bar
 * in the files and the database the result has no clock.
 */
export async function loadFiles(
  db: Database,
  folder: string,
  liveHours: number,
  problems: Problems,
  onNotice: (message: string) => void,
  step: Step,
): Promise<Loaded | undefined> {
  const files = await listCsvFiles(folder);
  const sizes = await Promise.all(files.map(async (file) => (await Deno.stat(file)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const before = await latestBar(db);
  const firstBars = new Map<string, number>();
  let latest = before ?? -Infinity;
  let held: Bar[] = [];
  let bytes = 0;

  async function* watched() {
    const options = {
      problems,
      onNotice,
      synthetic: new Set((await syntheticSeries(db)).keys()),
      onBytes: (count: number) => bytes += count,
    };
    for await (const bar of readBars(files, options)) {
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
