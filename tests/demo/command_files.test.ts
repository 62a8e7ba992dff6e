import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { MINUTE } from "../../cli/lib/import/bar.ts";
import { tableSql, type TaskRow } from "../../scripts/demo/report.ts";
import { demo, expectedBars, inspect, printedTable, qualities, withFolder } from "./command.ts";

const header = "ts_utc,open,high,low,close,vol,vwap,trade_count";
const row = (ts: number) => `${new Date(ts).toISOString()},1.1,1.3,1.0,1.2,,,`;

Deno.test("demo --data takes the options that say how files are read", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const keep = join(folder, "db");
    await Deno.mkdir(data);
    await Deno.writeTextFile(join(data, "GBPUSD.csv"), `${header}\n2025-03-03 09:01:00,1.1,1.3,1.0,1.2,,,\n`);
    const reading = ["--shift", "-1m", "--zone", "America/New_York"];
    const { code, stderr } = await demo("--data", data, "--keep", keep, "--once", ...reading);
    assert.equal(code, 0, stderr);
    const bars = await inspect(
      keep,
      (db) => db.query("select b.canonical_symbol, b.ts_utc from public.data_bars as b"),
    );
    assert.deepEqual(bars, [{ canonical_symbol: "GBPUSD", ts_utc: new Date("2025-03-03T14:00:00Z") }]);
  });
});

Deno.test("demo --data loads the good rows, tells of the bad ones, and exits with 1", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const keep = join(folder, "db");
    await Deno.mkdir(data);
    const start = Date.UTC(2025, 2, 3, 9, 0);
    const all = Array.from({ length: 300 }, (_, minute) => start + minute * MINUTE);
    const missing = new Set([3, 11, 12, 20, 21, 22, ...Array.from({ length: 45 }, (_, index) => 120 + index)]);
    const good = all.filter((_, minute) => !missing.has(minute));
    const text = [header, ...good.map(row)];
    text.splice(10, 0, row(good[0]!));
    text.splice(20, 0, `${new Date(start + 3 * MINUTE).toISOString()},1.1,NaN,1.0,1.2,,,`);
    text.splice(30, 0, "2025-03-03T09:03:00,1.1,1.3,1.0,1.2,,,");
    await Deno.writeTextFile(join(data, "GBPUSD_1m.csv"), text.join("\n"));
    await Deno.writeFile(
      join(data, "two.csv.gz"),
      gzipSync(
        ["canonical_symbol," + header, ...all.map((ts) => `XAUUSD,${row(ts)}`), `XAUUSD,${row(start + 1)}`].join("\n"),
      ),
    );
    await Deno.writeTextFile(join(data, "notes.csv"), "day,remark\n2025-03-03,hello\n");

    const { code, stdout, stderr } = await demo("--data", data, "--keep", keep, "--hours", "2", "--explain");
    assert.equal(code, 1);
    for (
      const line of [
        "GBPUSD_1m.csv:11  GBPUSD 2025-03-03T09:00:00Z was in an earlier row",
        "GBPUSD_1m.csv:21  high is NaN",
        "GBPUSD_1m.csv:31  the time 2025-03-03T09:03:00 has no zone",
        "two.csv.gz:302  the time 2025-03-03T09:00:00.001Z is not the start of a minute",
        "4 refused rows, see above",
      ]
    ) assert.ok(stderr.includes(line), `${line}\nis not in\n${stderr}`);
    assert.match(stdout, /notes\.csv is left out/);
    assert.match(stdout, /DXY is left out: there are no bars of EURUSD, USDJPY, USDCAD, USDSEK, USDCHF/);
    assert.match(stdout, /Live +\d+ simulated minutes to 2025-03-03 14:05 UTC in .*\n +240 bars came in/);

    const tasks = await inspect(keep, (db) => db.query<TaskRow>(tableSql));
    assert.deepEqual([...printedTable(stdout).keys()].slice(1), ["GBPUSD 5m", "GBPUSD 1h", "XAUUSD 5m", "XAUUSD 1h"]);
    for (const [symbol, minutes] of [["GBPUSD", good], ["XAUUSD", all]] as const) {
      const expected = expectedBars(minutes);
      for (const timeframe of ["5m", "1h"] as const) {
        const task = tasks.find((one) => one.canonical_symbol === symbol && one.timeframe === timeframe)!;
        assert.deepEqual(qualities(task), expected[timeframe], `${symbol} ${timeframe}`);
        assert.equal(task.windows, timeframe === "5m" ? 60 : 5);
      }
    }
    const queries = stdout.split("Check one line of the table")[1]!.match(/select [^;]+(?=;)/g)!;
    assert.equal(queries.length, 5);
    await inspect(keep, async (db) => {
      for (const query of queries) await db.query(query);
    });

    await inspect(keep, (db) => db.exec("alter table data_bars add constraint no_thirteen check (trade_count <> 13)"));
    const more = join(folder, "more");
    await Deno.mkdir(more);
    const later = [300, 301, 302, 303, 304].map((minute) => row(start + minute * MINUTE));
    later[2] += "13";
    await Deno.writeTextFile(join(more, "XAUUSD_1m.csv"), [header, ...later].join("\n"));
    const refused = await demo("--data", more, "--keep", keep, "--once");
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /XAUUSD_1m\.csv: 1 row refused \(1 no_thirteen\)\n {2}XAUUSD_1m\.csv:4 {2}the database refuses the bar: .*no_thirteen/,
    );
    assert.match(refused.stdout, /Load +4 one-minute bars/);
    assert.match(refused.stdout, /Catch up +1 bars? built/);
  });
});

Deno.test("demo exits with 1 and names the task when one fails", async () => {
  await withFolder(async (folder) => {
    const keep = join(folder, "db");
    const data = join(folder, "data");
    await Deno.mkdir(data);
    const start = Date.UTC(2025, 2, 3);
    const minutes = Array.from({ length: 120 }, (_, minute) => row(start + minute * MINUTE));
    await Deno.writeTextFile(join(data, "AAA.csv"), [header, ...minutes].join("\n"));
    assert.equal((await demo("--data", data, "--keep", keep, "--once")).code, 0);
    await inspect(
      keep,
      (db) => db.exec("alter table derived_data_bars add constraint nothing_more check (false) not valid"),
    );
    const later = Array.from({ length: 60 }, (_, minute) => row(start + (120 + minute) * MINUTE));
    await Deno.writeTextFile(join(data, "AAA.csv"), [header, ...minutes, ...later].join("\n"));
    const { code, stderr } = await demo("--data", data, "--keep", keep, "--once");
    assert.equal(code, 1);
    assert.match(stderr, /task AAA 5m is failing: .*nothing_more/);
  });
});

Deno.test("demo --data goes on with a symbol whose bars end long before those of another", async () => {
  await withFolder(async (folder) => {
    const keep = join(folder, "db");
    const data = join(folder, "data");
    await Deno.mkdir(data);
    const write = (symbol: string, start: number, minutes: number) => {
      const rows = Array.from({ length: minutes }, (_, minute) => row(start + minute * MINUTE));
      return Deno.writeTextFile(join(data, `${symbol}.csv`), [header, ...rows].join("\n"));
    };
    await write("NEW", Date.UTC(2025, 2, 4), 60);
    await write("OLD", Date.UTC(2024, 2, 4), 60);
    assert.match((await demo("--data", data, "--keep", keep, "--once")).stdout, /Catch up +26 bars built/);
    await write("OLD", Date.UTC(2024, 2, 4), 120);
    const { code, stdout, stderr } = await demo("--data", data, "--keep", keep, "--once");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Load +60 one-minute bars.* 120 were there already/);
    assert.match(stdout, /Catch up +13 bars built/);
  });
});
