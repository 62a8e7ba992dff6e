import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { tableSql, type TaskRow } from "../../scripts/demo/report.ts";
import { demo, expectedBars, inspect, project, qualities, withFolder } from "./command.ts";

const realData = new URL("../shared/data/", project);
const hasRealData = await Deno.stat(realData).then(() => true, () => false);

Deno.test({
  name: "demo --data builds real bars, and a DXY close to the published one (needs ../shared/data)",
  ignore: !hasRealData,
  fn: () =>
    withFolder(async (keep) => {
      const { code, stdout, stderr } = await demo("--data", realData.pathname, "--keep", keep, "--once");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Load +66,989 one-minute bars/);
      const gunzip = async (name: string) => gunzipSync(await Deno.readFile(new URL(name, realData))).toString();
      const lines = async (name: string) =>
        (await gunzip(name)).trim().split("\n").slice(1).map((line) => line.split(","));
      const published = await lines("dxy_close_2014.csv.gz");
      await inspect(keep, async (db) => {
        const tasks = await db.query<TaskRow>(tableSql);
        for (const symbol of ["GBPUSD", "6EH4", "XBTUSDT"]) {
          const minutes = (await lines(`${symbol}_1m.csv.gz`)).map(([ts]) => Date.parse(ts!));
          const expected = expectedBars(minutes);
          for (const timeframe of ["5m", "1h"] as const) {
            const task = tasks.find((one) => one.canonical_symbol === symbol && one.timeframe === timeframe)!;
            assert.deepEqual(qualities(task), expected[timeframe], `${symbol} ${timeframe}`);
          }
        }
        const dxy = await db.query<{ ts_utc: Date; close: number }>(
          "select ts_utc, close from data_bars where canonical_symbol = 'DXY'",
        );
        const derived = new Map(dxy.map((bar) => [bar.ts_utc.getTime(), bar.close]));
        const distances = published.flatMap(([ts, close]) => {
          const value = derived.get(Date.parse(ts!));
          return value === undefined ? [] : [Math.abs(value - Number(close))];
        }).sort((a, b) => a - b);
        assert.ok(distances.length > 200, `${distances.length} days compared`);
        assert.ok(distances[distances.length >> 1]! < 0.03, `median distance ${distances[distances.length >> 1]}`);
      });
    }),
});
