import { DAY, MINUTE } from "../../cli/lib/import/bar.ts";
import { Problems } from "../../cli/lib/import/problems.ts";
import { type Asset, assets } from "../demo/assets.ts";
import { catchUp } from "../demo/catch_up.ts";
import { generateBars, type Market } from "../demo/generator.ts";
import { latestBar, loadBars } from "../demo/load.ts";
import { type Mark, readMark, registerAssets, switchSynthetic, syncTasks } from "../demo/registry.ts";
import type { Database } from "../lib/database.ts";

/** How much history a new database gets, and how far back one that was kept is filled. */
const HISTORY = 7 * DAY;

/** The named sessions of the demo's markets. */
const SESSIONS: Record<Asset["assetClass"], string | undefined> = {
  fx: "fx",
  metal: "cme_globex",
  equity: "us_equity",
  crypto: undefined,
};

/** What {@link loadDemo} has loaded: `minutes` new ones, all before `end` (milliseconds since the epoch). */
export interface LoadedDemo {
  market: Market;
  minutes: number;
  end: number;
}

/**
 * Loads made-up bars of nine assets up to the minute of `now`, and builds DXY and the longer bars. A new database gets a week of
 * history. In one that was kept, the bars since it ended come in, a week at most, and the rest stays. `onProgress` is told what
 * goes on. Throws an Error with a readable line where the database holds other bars.
 */
export async function loadDemo(db: Database, now: Date, onProgress: (line: string) => void): Promise<LoadedDemo> {
  const mark = await readMark(db) ?? newMark(now);
  if (mark.source === "files") throw new Error("the database holds bars from files: give the demo one of its own");
  const end = Math.floor(now.getTime() / MINUTE) * MINUTE;
  const latest = await latestBar(db);
  const from = Math.max(end - HISTORY, latest === undefined ? 0 : latest + MINUTE);
  await registerAssets(
    db,
    assets.map((asset) => ({ ...asset, firstBar: from, session: SESSIONS[asset.assetClass] })),
    mark,
  );
  await db.exec(`
    update public.core_asset_registry_all as r
    set metadata = jsonb_set(r.metadata, '{agg}', coalesce(r.metadata -> 'agg', '{}') || '{"session": "fx"}')
    where r.canonical_symbol = 'DXY' and r.metadata #> '{agg,session}' is null`);

  let minutes = 0;
  for (const asset of assets) {
    onProgress(`Made-up minutes of ${asset.symbol}`);
    minutes += (await loadBars(db, generateBars(mark, asset, from, end), new Problems())).inserted;
  }
  const { started } = await switchSynthetic(db);
  await syncTasks(db, now, started);
  await catchUp(db, now, (done) => onProgress(`Longer bars: ${Math.floor(100 * done)} %`));
  return { market: mark, minutes, end };
}

function newMark(now: Date): Mark {
  return { source: "generated", seed: 1, weeks: 1, start: Math.floor((now.getTime() - HISTORY) / DAY) * DAY };
}
