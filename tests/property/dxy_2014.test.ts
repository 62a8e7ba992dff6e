import { parse } from "csv-parse/sync";
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { PAIRS } from "../../model/dxy.ts";
import { insertMinutes, readMinutes } from "../support/bars.ts";
import { openEngine } from "../support/engine.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);
const RATES = new URL("six_pairs_2014_1m.csv.gz", DATA);
const CLOSES = new URL("dxy_close_2014.csv.gz", DATA);

Deno.test({
  name: "DXY of the real rates of 2014 has a median distance below 0.03 from the published closes",
  ignore: !(await isFile(RATES) && await isFile(CLOSES)),
  fn: async () => {
    await using engine = await openEngine();
    const rates = await readRows(RATES);
    for (const pair of PAIRS) {
      await insertMinutes(
        engine.db,
        pair,
        rates.filter((row) => row["canonical_symbol"] === pair).map((row) => ({
          ts: Date.parse(row["ts_utc"]!),
          open: Number(row["open"]),
          high: Number(row["high"]),
          low: Number(row["low"]),
          close: Number(row["close"]),
          vol: null,
          vwap: null,
          tradeCount: null,
          isPartial: false,
        })),
      );
    }
    await engine.db.query("select public.calc_dxy_range_1m('2014-01-01 00:00:00+00', '2015-01-01 00:00:00+00')");
    const derived = new Map((await readMinutes(engine.db, "DXY")).map((bar) => [bar.ts, bar.close]));
    const distances = (await readRows(CLOSES)).flatMap((row) => {
      const close = derived.get(Date.parse(row["ts_utc"]!));
      return close === undefined ? [] : [Math.abs(close - Number(row["dxy_close"]))];
    }).sort((a, b) => a - b);
    assert.ok(distances.length > 200, `only ${distances.length} days have a derived and a published close`);
    const median = distances[Math.floor(distances.length / 2)]!;
    assert.ok(median < 0.03, `the median distance of ${distances.length} days is ${median}`);
  },
});

async function isFile(url: URL): Promise<boolean> {
  try {
    return (await Deno.stat(url)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function readRows(url: URL): Promise<Record<string, string>[]> {
  return parse(gunzipSync(await Deno.readFile(url)), { columns: true });
}
