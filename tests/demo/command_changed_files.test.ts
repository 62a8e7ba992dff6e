import assert from "node:assert/strict";
import { join } from "node:path";
import { MINUTE } from "../../cli/lib/import/bar.ts";
import { demo, inspect, withFolder } from "./command.ts";

Deno.test("demo --data on a kept database builds the windows of changed rows again", async () => {
  await withFolder(async (folder) => {
    const keep = join(folder, "db");
    const start = Date.UTC(2025, 2, 3, 9, 0);
    const write = (high: (minute: number) => number) =>
      Deno.writeTextFile(
        join(folder, "GBPUSD_1m.csv"),
        [
          "ts_utc,open,high,low,close,vol,vwap,trade_count",
          ...Array.from({ length: 180 }, (_, minute) =>
            `${new Date(start + minute * MINUTE).toISOString()},1.1,${high(minute)},1.0,1.2,,,`),
        ].join("\n"),
      );
    await write(() => 1.3);
    const first = await demo("--data", folder, "--keep", keep, "--once");
    assert.equal(first.code, 0, first.stderr);
    assert.doesNotMatch(first.stdout, /behind the cursors/);

    await write((minute) => minute === 61 || minute === 62 ? 1.7 : 1.3);
    const second = await demo("--data", folder, "--keep", keep, "--once");
    assert.equal(second.code, 0, second.stderr);
    assert.match(
      second.stdout,
      /2 new or changed bars were behind the cursors of their tasks: 2 bars were built again from them/,
    );
    const highs = await inspect(
      keep,
      (db) => db.query("select timeframe, ts_utc from derived_data_bars where high = 1.7 order by timeframe"),
    );
    assert.deepEqual(highs, [
      { timeframe: "1h", ts_utc: new Date(start + 60 * MINUTE) },
      { timeframe: "5m", ts_utc: new Date(start + 60 * MINUTE) },
    ]);
  });
});
