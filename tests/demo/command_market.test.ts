import assert from "node:assert/strict";
import { join } from "node:path";
import { assets } from "../../scripts/demo/assets.ts";
import { HOUR, MINUTE } from "../../cli/lib/import/bar.ts";
import { generateBars, historyEnd, liveOutage } from "../../scripts/demo/generator.ts";
import { tableSql, type TaskRow } from "../../scripts/demo/report.ts";
import { demo, expectedBars, inspect, printedTable, qualities, withFolder } from "./command.ts";

Deno.test("demo plays a generated market live, and a second run on the kept database adds nothing twice", async () => {
  await withFolder(async (folder) => {
    const keep = join(folder, "new", "db");
    const market = { seed: 7, weeks: 1 };
    const first = await demo("--keep", keep, "--weeks", "1", "--seed", "7", "--hours", "3");
    assert.equal(first.stderr, "");
    assert.equal(first.code, 0);
    const clock = historyEnd(market) + 3 * HOUR;

    const state = () =>
      inspect(keep, async (db) => ({
        tasks: await db.query<TaskRow>(tableSql),
        gaps: await db.query("select gap_from_utc, gap_to_utc from agg_gaps('EURUSD', '5m') order by 1 desc limit 1"),
        bars: await db.query(
          "select canonical_symbol, timeframe, count(*), max(updated_at) from derived_data_bars group by 1, 2 order by 1, 2",
        ),
        minutes: await db.query(
          "select canonical_symbol, count(*), max(updated_at) from data_bars group by 1 order by 1",
        ),
      }));
    const before = await state();

    for (const asset of assets.filter((one) => one.session === undefined)) {
      const minutes = [...generateBars(market, asset, 0, clock)].map((bar) => bar.ts);
      const expected = expectedBars(minutes, clock - 5 * MINUTE, clock - HOUR);
      for (const timeframe of ["5m", "1h"] as const) {
        const task = before.tasks.find((one) => one.canonical_symbol === asset.symbol && one.timeframe === timeframe)!;
        assert.deepEqual(qualities(task), expected[timeframe], `${asset.symbol} ${timeframe}`);
        if (timeframe === "5m") assert.equal(task.source_bars, minutes.length);
        assert.equal(task.bars, expected[timeframe].reduce((sum, count) => sum + count));
      }
    }
    const outage = liveOutage(market);
    assert.deepEqual(before.gaps, [{ gap_from_utc: new Date(outage.from), gap_to_utc: new Date(outage.to) }]);

    const printed = printedTable(first.stdout);
    assert.equal(printed.size, before.tasks.length + 1, "a line a task, and the head");
    for (const task of before.tasks) {
      const line = printed.get(`${task.canonical_symbol} ${task.timeframe}`)!;
      const count = (value: number | null) => value === null ? "-" : value.toLocaleString("en-US");
      assert.deepEqual(
        line.slice(2, 9),
        [
          task.source_bars,
          task.windows,
          task.bars,
          task.excellent,
          task.good,
          task.poor,
          task.windows - task.bars,
        ].map(count),
      );
    }

    assert.match(
      first.stdout,
      /Late +\d+ minutes of USDSEK .* came now\n.*\n +DXY 1m: \d+, 5m: \d+, 1h: 1; USDSEK 5m: 9, 1h: 1\n/,
    );
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(first.stdout, /\x1b/);
    assert.match(first.stdout, /^DXY 1h, close of the last \d+ bars \(UTC\)\n(\n.*[▲│┤].*){10}\n.*└/m);
    const [hour, five] = await inspect(keep, (db) =>
      db.query<{ ts_utc: Date; close: number }>(
        `(select ts_utc, close from derived_data_bars where canonical_symbol = 'DXY' and timeframe = '1h' and deleted_at is null order by 1 desc limit 1)
         union all
         (select ts_utc, close from derived_data_bars where canonical_symbol = 'BTCUSD' and timeframe = '5m' and deleted_at is null order by 1 desc limit 1)`,
      ));
    const time = (bar: typeof hour) => bar!.ts_utc.toISOString().slice(0, 16).replace("T", " ");
    for (
      const line of [
        ["canonical_symbol", "DXY", "BTCUSD"],
        ["timeframe", "1h", "5m"],
        ["ts_utc", time(hour), time(five)],
        ["close", hour!.close, five!.close],
      ]
    ) assert.match(first.stdout, new RegExp(`^${line.join(" +")}$`, "m"));

    const second = await demo("--keep", keep, "--hours", "1");
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /Late +nothing new came late/);
    assert.match(second.stdout, /Load +0 one-minute bars in .*were there already/);
    assert.match(second.stdout, /Catch up +0 bars built/);
    assert.match(
      second.stdout,
      new RegExp(`60 simulated minutes to ${new Date(clock + HOUR).toISOString().slice(0, 10)} 17:00`),
    );
    const after = await state();
    for (const [index, task] of after.tasks.entries()) {
      const earlier = before.tasks[index]!;
      if (task.canonical_symbol !== "DXY" || task.timeframe !== "1h") {
        assert.ok(task.cursor_utc > earlier.cursor_utc, `${task.canonical_symbol} ${task.timeframe} went on`);
      }
    }

    const refused = await demo("--keep", keep, "--seed", "8");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /was made with --seed 7 --weeks 1/);
  });
});
