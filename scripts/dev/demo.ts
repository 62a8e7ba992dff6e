import { catchUp } from "../demo/catch_up.ts";
import { loadMarket } from "../demo/load.ts";
import { Problems } from "../../cli/lib/import/problems.ts";
import { readMark, switchSynthetic, syncTasks } from "../demo/registry.ts";
import type { Database } from "../lib/database.ts";

const MARKET = { seed: 1, weeks: 1 };

/**
 * Loads a week of the demo's made-up bars of nine assets, and builds DXY and the longer bars. Bars that are stored already
 * stay. Returns the number of new minutes. Throws an Error with a readable line where the database holds bars from files.
 */
export async function loadDemo(db: Database): Promise<number> {
  const mark = await readMark(db);
  if (mark?.source === "files") throw new Error("the database holds bars from files: give the demo one of its own");
  const quiet = { update: () => {}, end: () => {} };
  const { result, clock } = await loadMarket(db, mark ?? MARKET, 0, new Problems(), quiet);
  const { started } = await switchSynthetic(db);
  await syncTasks(db, new Date(clock), started);
  await catchUp(db, new Date(clock), () => {});
  return result.inserted;
}
