import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Bar } from "../../scripts/demo/bar.ts";
import { listCsvFiles, readBars } from "../../scripts/demo/csv.ts";
import { Problems } from "../../scripts/demo/problems.ts";

const header = "ts_utc,open,high,low,close,vol,vwap,trade_count";
const good = "2025-01-02T00:00:00Z,1.1,1.4,1.0,1.2,10,1.15,3";

interface Reading {
  bars: Bar[];
  rows: string[];
  failures: string[];
  notices: string[];
}

async function readFiles(files: Record<string, string | Uint8Array>): Promise<Reading> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(join(folder, name), bytes);
    }
    const problems = new Problems();
    const notices: string[] = [];
    const options = { problems, synthetic: new Set(["DXY"]), onNotice: (text: string) => notices.push(text) };
    const bars = await Array.fromAsync(readBars(await listCsvFiles(folder), options));
    return { bars, rows: problems.describeRows(), failures: problems.describeFailures(), notices };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const lines = (...rows: string[]) => rows.join("\n") + "\n";

Deno.test("readBars() reads every column, and an empty one as null", async () => {
  const { bars, rows, failures } = await readFiles({
    "GBPUSD_1m.csv": lines(header, good, "2025-01-02T00:01:00Z,1,2,1,1,,,"),
  });
  assert.deepEqual(bars, [
    {
      symbol: "GBPUSD",
      ts: Date.UTC(2025, 0, 2),
      open: 1.1,
      high: 1.4,
      low: 1,
      close: 1.2,
      vol: 10,
      vwap: 1.15,
      tradeCount: 3,
      origin: { file: "GBPUSD_1m.csv", line: 2 },
    },
    {
      symbol: "GBPUSD",
      ts: Date.UTC(2025, 0, 2, 0, 1),
      open: 1,
      high: 2,
      low: 1,
      close: 1,
      vol: null,
      vwap: null,
      tradeCount: null,
      origin: { file: "GBPUSD_1m.csv", line: 3 },
    },
  ]);
  assert.deepEqual([...rows, ...failures], []);
});

Deno.test("readBars() takes columns in any order and case, quoted fields, a byte order mark and CRLF", async () => {
  const { bars, rows } = await readFiles({
    "A.csv": '\uFEFF"Close","LOW",high,open,ts_utc\r\n"1.2",1.0,"1.4",1.1,"2025-01-02T00:00:00Z"\r\n',
  });
  assert.deepEqual(rows, []);
  assert.deepEqual(bars.map(({ symbol, open, high, low, close }) => [symbol, open, high, low, close]), [
    ["A", 1.1, 1.4, 1, 1.2],
  ]);
});

Deno.test("readBars() takes the symbol from canonical_symbol before the file name", async () => {
  const { bars, rows } = await readFiles({
    "pairs_1m.csv": lines(`canonical_symbol,${header}`, `EURUSD,${good}`, `USDJPY,${good}`, `,${good}`),
  });
  assert.deepEqual(bars.map((bar) => bar.symbol), ["EURUSD", "USDJPY"]);
  assert.deepEqual(rows.slice(1), ["  pairs_1m.csv:4  canonical_symbol is empty: every bar needs its symbol"]);
});

Deno.test("readBars() accepts an instant with a zone in any ISO way and turns it into UTC", async () => {
  const times = [
    "2025-01-02T00:00:00Z",
    "2025-01-02 00:01:00+00",
    "2025-01-02T00:02:00.000+0000",
    "2025-01-02T05:33:00+05:30",
    "2025-01-01T19:04-05:00",
    "2025-01-02T00:05:00.000000000Z",
    "2025-01-02 00:06z",
    "2025-01-02 00:07:00 UTC",
    "2025-01-02T00:08:00.000 +00:00",
    "2025-01-01 19:09 -0500",
  ];
  const { bars, rows } = await readFiles({ "A.csv": lines(header, ...times.map((time) => `${time},1,1,1,1,,,`)) });
  assert.deepEqual(rows, []);
  assert.deepEqual(
    bars.map((bar) => new Date(bar.ts).toISOString()),
    times.map((_, minute) => `2025-01-02T00:0${minute}:00.000Z`),
  );
});

const time = "2025-01-02T00:05:00Z";
const badRows: [name: string, row: string, reason: string, message: RegExp][] = [
  ["an empty price", `${time},1,,1,1,,,`, "missing field", /high is empty/],
  ["an empty time", ",1,1,1,1,,,", "missing field", /ts_utc is empty/],
  ["NaN", `${time},1,NaN,1,1,,,`, "not finite", /high is NaN/],
  ["an infinite price", `${time},1,inf,1,1,,,`, "not finite", /high is inf/],
  ["a price too large", `${time},1,1e999,1,1,,,`, "not finite", /high 1e999 is too large/],
  ["a price of text", `${time},n/a,1,1,1,,,`, "not a number", /open "n\/a" is not a number/],
  ["a hexadecimal price", `${time},0x1,1,1,1,,,`, "not a number", /open "0x1"/],
  ["high below low", `${time},1,0.9,1,1,,,`, "prices contradict each other", /high 0.9 is below low 1/],
  ["high below open", `${time},2,1.9,1,1,,,`, "prices contradict each other", /high 1.9 is below open 2/],
  ["high below close", `${time},1,1.9,1,2,,,`, "prices contradict each other", /high 1.9 is below close 2/],
  ["low above open", `${time},1,3,1.5,2,,,`, "prices contradict each other", /low 1.5 is above open 1/],
  ["low above close", `${time},2,3,1.5,1,,,`, "prices contradict each other", /low 1.5 is above close 1/],
  [
    "a close above high by rounding alone",
    `${time},1,1.2,1,1.2000000000000002,,,`,
    "rounding",
    /high 1.2 is below close 1.2000000000000002 by rounding alone: round the prices to the decimals of the market$/,
  ],
  [
    "low above open by rounding alone",
    `${time},1,2,1.0000000009,1,,,`,
    "rounding",
    /low .* is above close 1 by rounding/,
  ],
  ["high below low by more", `${time},1,1,1.000000002,1,,,`, "prices contradict each other", /check the column order/],
  ["a time between minutes", "2025-01-02T00:05:30Z,1,1,1,1,,,", "misaligned time", /is not the start of a minute/],
  ["a microsecond after a minute", "2025-01-02T00:05:00.000001Z,1,1,1,1,,,", "misaligned time", /is not the start/],
  ["a nanosecond", "2025-01-02T00:05:00.000000001Z,1,1,1,1,,,", "unreadable time", /is not a time/],
  ["an hour that no day has", "2025-01-02T24:00:00Z,1,1,1,1,,,", "unreadable time", /is not a time/],
  ["a zone in words", "2025-01-02T00:05:00 CET,1,1,1,1,,,", "unreadable time", /is not a time/],
  ["a time of text", "yesterday,1,1,1,1,,,", "unreadable time", /"yesterday" is not a time/],
  ["a day that is not in the calendar", "2025-02-30T00:00:00Z,1,1,1,1,,,", "unreadable time", /is not a time/],
  ["a time without zone", "2025-01-02T00:05:00,1,1,1,1,,,", "time without zone", /has no time zone/],
  ["a time in the future", "2999-01-02T00:05:00Z,1,1,1,1,,,", "time in the future", /is in the future/],
  ["a negative volume", `${time},1,1,1,1,-1,,`, "negative volume", /vol -1 is negative/],
  ["a negative trade count", `${time},1,1,1,1,,,-1`, "negative trade count", /trade_count -1 is negative/],
  ["half a trade", `${time},1,1,1,1,,,1.5`, "not a number", /trade_count 1.5 is not a whole number/],
  ["text as vwap", `${time},1,1,1,1,,x,`, "not a number", /vwap "x" is not a number/],
  ["too few columns", `${time},1,1,1,1`, "missing columns", /5 fields where the header has 8/],
  ["too many columns", `${time},1,1,1,1,,,,`, "extra columns", /9 fields where the header has 8/],
  ["a minute twice", good, "duplicate", /A 2025-01-02T00:00:00.000Z was in an earlier row/],
  ["a stray quote", `${time},"1,1,1,1,,,`, "not a number", /open "\\"1"/],
];

for (const [name, row, reason, message] of badRows) {
  Deno.test(`readBars() refuses ${name} with its line, and reads on`, async () => {
    const after = "2025-01-02T00:09:00Z,1,1,1,1,,,";
    const { bars, rows, failures } = await readFiles({ "A_1m.csv": lines(header, good, "", row, after) });
    assert.deepEqual(bars.map((bar) => bar.origin?.line), [2, 5]);
    assert.equal(rows[0], `A_1m.csv: 1 row refused (1 ${reason})`);
    assert.match(rows[1]!, /^ {2}A_1m\.csv:4 {2}/);
    assert.match(rows[1]!, message);
    assert.equal(rows.length, 2);
    assert.deepEqual(failures, []);
  });
}

Deno.test("readBars() refuses a minute that an earlier file gave", async () => {
  const { bars, rows } = await readFiles({ "A.csv": lines(header, good), "A_1m.csv": lines(header, good) });
  assert.equal(bars.length, 1);
  assert.equal(rows[0], "A_1m.csv: 1 row refused (1 duplicate)");
});

Deno.test("readBars() refuses bars of a series that the database computes", async () => {
  const { bars, rows } = await readFiles({ "DXY_1m.csv": lines(header, good) });
  assert.deepEqual(bars, []);
  assert.equal(rows[0], "DXY_1m.csv: 1 row refused (1 computed series)");
});

Deno.test("readBars() names every fault of a row, and counts it once", async () => {
  const { rows } = await readFiles({ "A.csv": lines(header, `${time},x,,1,1,,,`) });
  assert.equal(rows[0], "A.csv: 1 row refused (1 not a number)");
  assert.match(rows[1]!, /open "x" is not a number.*; high is empty/);
});

Deno.test("Problems lists the first five rows of each reason in a file, and counts the rest by reason", async () => {
  const bad = Array.from({ length: 25 }, (_, index) => index < 10 ? "x,1,1,1,1,,," : `${time},1,1,1,1,-1,,`);
  const { rows } = await readFiles({ "A.csv": lines(header, ...bad) });
  assert.equal(rows[0], "A.csv: 25 rows refused (15 negative volume, 10 unreadable time)");
  assert.deepEqual(
    rows.slice(1, -1).map((row) => /^ {2}A\.csv:(\d+) {2}/.exec(row)?.[1]),
    ["2", "3", "4", "5", "6", "12", "13", "14", "15", "16"],
  );
  assert.equal(rows.at(-1), "  and 15 more: 10 negative volume, 5 unreadable time");
});

Deno.test("Problems keeps a file whose every row has the same fault short", async () => {
  const bad = Array.from({ length: 45_031 }, () => "2025-01-02T00:05:00,1,1,1,1,,,");
  const { rows } = await readFiles({ "A.csv": lines(header, ...bad) });
  assert.equal(rows.length, 7);
  assert.equal(rows[0], "A.csv: 45,031 rows refused (45,031 time without zone)");
  assert.equal(rows[6], "  and 45,026 more: 45,026 time without zone");
});

Deno.test("readBars() reads gzip", async () => {
  const { bars, failures } = await readFiles({ "A_1m.csv.gz": gzipSync(lines(header, good)) });
  assert.deepEqual(bars.map((bar) => [bar.symbol, bar.origin?.line]), [["A", 2]]);
  assert.deepEqual(failures, []);
});

Deno.test("readBars() keeps the whole rows before the cut of a cut-off gzip file, and says so", async () => {
  const minutes = Array.from({ length: 3_000 }, (_, minute) => new Date(Date.UTC(2025, 0, 2, 0, minute)).toISOString());
  const text = lines(header, ...minutes.map((ts, index) => `${ts},1.0001,1.0${index + 1000},1,1.0001,,,`));
  const { bars: whole } = await readFiles({ "A.csv": text });
  const packed = gzipSync(text);
  for (const length of [packed.length - 1, packed.length - 9, Math.floor(packed.length / 2)]) {
    const { bars, rows, failures } = await readFiles({ "A.csv.gz": packed.subarray(0, length) });
    assert.deepEqual(failures, [
      "A.csv.gz: the compressed file is cut off; the rows before the cut went in. Fetch it again",
    ]);
    assert.deepEqual(rows, []);
    const highs = (some: Bar[]) => some.map((bar) => bar.high).join();
    assert.ok(highs(bars) === highs(whole.slice(0, bars.length)));
    if (length >= packed.length - 9) assert.equal(bars.length, whole.length);
    else assert.ok(bars.length > 1_000 && bars.length < 2_000, `${bars.length} rows`);
  }
});

Deno.test("readBars() goes on to the next file after one it cannot read", async () => {
  const { bars, failures } = await readFiles({
    "A.csv": "",
    "B.csv.gz": "not gzip at all",
    "C.csv": lines("ts_utc,open,close", "2025-01-02T00:00:00Z,1,1"),
    "D.csv": lines("ts_utc;open;high;low;close", "2025-01-02T00:00:00Z;1;1;1;1"),
    "E.csv": lines("ts_utc,open,high,low,close,open", "2025-01-02T00:00:00Z,1,1,1,1,1"),
    "F.csv": lines(header, good),
  });
  assert.deepEqual(bars.map((bar) => bar.symbol), ["F"]);
  assert.deepEqual(failures, [
    "A.csv: the file is empty: it needs a header",
    "B.csv.gz: it is named .gz but is not gzip: rename or compress it",
    "C.csv: the header lacks high, low: add what is missing",
    "D.csv: its columns are not separated by commas: save it as comma-separated",
    "E.csv: the header names open twice",
  ]);
});

Deno.test("readBars() leaves a file without any price column out, with a notice and no failure", async () => {
  const { bars, rows, failures, notices } = await readFiles({
    "dxy_close.csv": lines("ts_utc,dxy_close", "2025-01-02T00:00:00Z,80"),
  });
  assert.deepEqual([...bars, ...rows, ...failures], []);
  assert.deepEqual(notices, ["dxy_close.csv is left out: it has none of the columns open, high, low, close"]);
});

Deno.test("readBars() says which columns it does not use", async () => {
  const { bars, notices } = await readFiles({ "A.csv": lines(`${header},spread`, `${good},2`) });
  assert.equal(bars.length, 1);
  assert.deepEqual(notices, ["A.csv: columns not used: spread"]);
});

const headers: [header: string, message: string][] = [
  ["timestamp,open,high,low,close", "rename timestamp to ts_utc"],
  ["Time,open,high,low,close", "rename Time to ts_utc"],
  ["date,open,high,low,close,volume", "rename date to ts_utc, volume to vol"],
  ["Date,Time,open,high,low,close", "make one column ts_utc of Date and Time"],
  [
    "unix,date,symbol,open,high,low,close",
    "make one column ts_utc of unix and date; rename symbol to canonical_symbol",
  ],
  ["ts_utc,open,high,low,close,volume", "rename volume to vol"],
  ["ts_utc,open,high,low,close,Volume", "rename Volume to vol"],
  ["ts_utc,open,high,low,close,vol.", "rename vol. to vol"],
  ["ts_utc,open,high,low,close,tickvol", "rename tickvol to vol"],
  ["ts_utc,open,high,low,close,<VOL>", "rename <VOL> to vol"],
  ["ts_utc,open,high,low,close,v", "rename v to vol"],
  ["ts_utc,open,high,low,close,Volume BTC,Volume USDT", "rename one of Volume BTC and Volume USDT to vol"],
  ["timestamp,timeframe,updated_at,open,high,low,close", "rename timestamp to ts_utc"],
  ["ts_utc,open,high,low,close,trade volume", "rename trade volume to vol"],
  ["ts_utc,open,high,low,close,vol,trades", "rename trades to trade_count"],
  ["ts_utc,open,high,low,close,vol,volume weighted average", "rename volume weighted average to vwap"],
  ["ts_utc,open,high,low,close,ticker", "rename ticker to canonical_symbol"],
  [
    "timestamp,1. open,2. high,3. low,4. close,5. volume",
    "rename timestamp to ts_utc, 1. open to open, 2. high to high, 3. low to low, 4. close to close, 5. volume to vol",
  ],
  ["t,o,h,l,c,v", "rename t to ts_utc, o to open, h to high, l to low, c to close, v to vol"],
];

for (const [names, message] of headers) {
  Deno.test(`readBars() refuses a file with the header ${names}, and says what to rename`, async () => {
    const { bars, notices, failures } = await readFiles({ "A.csv": lines(names, names.replace(/[^,]+/g, "1")) });
    assert.deepEqual([...bars, ...notices], []);
    assert.equal(failures.length, 1);
    assert.ok(
      failures[0]!.includes(`${message}. Remove a column that holds something else`),
      `${failures[0]}`,
    );
  });
}

Deno.test("readBars() says that a file has no header", async () => {
  const { bars, notices, failures } = await readFiles({
    "A.csv": lines(good, good),
    "B.csv": lines("20250102 000000;1.1;1.4;1.0;1.2;10"),
    "C.csv": lines("2025.01.02,00:00,1.1,1.4,1.0,1.2,10"),
    "D.csv": lines("1735776000000,1.1,1.4,1.0,1.2,10"),
  });
  assert.deepEqual([...bars, ...notices], []);
  for (const file of ["A.csv", "B.csv", "C.csv", "D.csv"]) {
    const failure = failures.find((one) => one.startsWith(`${file}: the file has no header`));
    assert.ok(
      failure?.includes("canonical_symbol,ts_utc,open,high,low,close,vol,vwap,trade_count"),
      failures.join("\n"),
    );
  }
  assert.match(failures[1]!, /not separated by commas/);
});

Deno.test("readBars() takes a file with a volume of its own beside other columns", async () => {
  const { bars, notices, failures } = await readFiles({
    "A.csv": lines(`${header},quote_volume,volatility`, `${good},2,3`),
    "B.csv": lines("ts_utc,open,high,low,close,volatility", "2025-01-02T00:00:00Z,1,1,1,1,3"),
  });
  assert.deepEqual(failures, []);
  assert.deepEqual(bars.map((bar) => bar.vol), [10, null]);
  assert.deepEqual(notices, [
    "A.csv: columns not used: quote_volume, volatility",
    "B.csv: columns not used: volatility",
  ]);
});

Deno.test("listCsvFiles() rejects a folder that is missing or holds no bar file", async () => {
  await assert.rejects(listCsvFiles("no/such/folder"), /there is no such folder/);
  await assert.rejects(readFiles({ "notes.txt": "hello" }), /has no \.csv or \.csv\.gz file/);
});
