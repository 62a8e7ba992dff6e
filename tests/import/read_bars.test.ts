import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { formatMinute } from "../../cli/lib/import/bar.ts";
import { type Given, line, readFiles } from "./reading.ts";

const header = "ts_utc,open,high,low,close,vol,vwap,trade_count";
const good = "2025-01-02T00:00:00Z,1.1,1.4,1.0,1.2,10,1.15,3";
const time = "2025-01-02T00:05:00Z";

const lines = (...rows: string[]) => rows.join("\n") + "\n";

Deno.test("readBars() reads every column, an empty one as null, and says where each bar stands", async () => {
  const { bars, refused, failures } = await readFiles({
    "GBPUSD_1m.csv": lines(header, good, "2025-01-02T00:01:00Z,1,2,1,1,,,"),
  });
  assert.deepEqual(bars, [
    {
      ...{ symbol: "GBPUSD", ts: Date.UTC(2025, 0, 2), open: 1.1, high: 1.4, low: 1, close: 1.2 },
      ...{ vol: 10, vwap: 1.15, tradeCount: 3, origin: { file: "GBPUSD_1m.csv", line: 2 } },
    },
    {
      ...{ symbol: "GBPUSD", ts: Date.UTC(2025, 0, 2, 0, 1), open: 1, high: 2, low: 1, close: 1 },
      ...{ vol: null, vwap: null, tradeCount: null, origin: { file: "GBPUSD_1m.csv", line: 3 } },
    },
  ]);
  assert.deepEqual([...refused, ...failures], []);
});

Deno.test("readBars() takes columns in any order and case, quoted fields, a byte order mark and CRLF", async () => {
  const { bars, refused } = await readFiles({
    "A.csv": '\uFEFF"Close","LOW",high,open,ts_utc\r\n"1.2",1.0,"1.4",1.1,"2025-01-02T00:00:00Z"\r\n',
  });
  assert.deepEqual(refused, []);
  assert.deepEqual(bars.map(line), ["A 2025-01-02T00:00:00Z 1.1 1.4 1 1.2 - - -"]);
});

Deno.test("readBars() takes spaces around names and values, and a column that is named by a number", async () => {
  const { bars, layouts } = await readFiles({
    "A.csv": lines("ts_utc, open, high, low, close, 20", "2025-01-02T00:00:00Z , 1, 2, 1 ,2, 7"),
  });
  assert.deepEqual(bars.map(line), ["A 2025-01-02T00:00:00Z 1 2 1 2 - - -"]);
  assert.deepEqual(layouts[0]?.unused, ["20"]);
});

Deno.test("readBars() takes the symbol from --symbol, a column, or the name of the file", async () => {
  const pairs = lines(`canonical_symbol,${header}`, `EURUSD,${good}`, `USDJPY,${good}`, `,${good}`);
  const column = await readFiles({ "pairs_1m.csv": pairs });
  assert.deepEqual(column.bars.map(({ symbol }) => symbol), ["EURUSD", "USDJPY"]);
  assert.deepEqual(column.refused, ["4 missing field"]);
  const option = await readFiles({ "pairs_1m.csv": pairs }, { symbol: "EUR" });
  assert.deepEqual(option.bars.map(({ symbol }) => symbol), ["EUR"]);
  assert.deepEqual(option.refused, ["3 other symbol", "4 other symbol"]);
  const names = [
    ["EURUSD_2026-01.csv", "EURUSD"],
    ["EURUSD_2026-02.csv", "EURUSD"],
    ["EURUSD_1m_202603.csv", "EURUSD"],
    ["EURUSD-1m-2026-04-01.csv", "EURUSD"],
    ["EURUSD_M1_202601020000_202601302359.csv", "EURUSD"],
    ["6EH4_1m.csv", "6EH4"],
    ["BTC-USD.csv", "BTC-USD"],
  ] as const;
  for (const [name, symbol] of names) {
    const { bars } = await readFiles({ [name]: lines(header, good) });
    assert.equal(bars[0]?.symbol, symbol, name);
  }
  const { failures } = await readFiles({ "2026-01-02.csv": lines(header, good) });
  assert.match(failures[0]!, /give --symbol/);
});

Deno.test("readBars() accepts times with a zone in any ISO way, and epochs by their digits, row by row", async () => {
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
    "1735776600",
    "1735776660000",
    "1735776720000000",
    "1735776780000000000",
    "1735776840.0",
    "20250101 191500 America/New_York",
    "02.01.2025 03:16:00.000 GMT+0300",
    "2025/01/02 00:17:00Z",
  ];
  const { bars, refused } = await readFiles({ "A.csv": lines(header, ...times.map((time) => `${time},1,1,1,1,,,`)) });
  assert.deepEqual(refused, []);
  assert.deepEqual(
    bars.map(({ ts }) => formatMinute(ts)),
    times.map((_, minute) => `2025-01-02T00:${String(minute).padStart(2, "0")}:00Z`),
  );
});

Deno.test("readBars() takes a time without zone for that of --zone, and refuses what the clock showed twice or never", async () => {
  const text = lines(
    "Date,Open,High,Low,Close",
    ...["2026-03-08 01:59", "2026-03-08 02:30", "2026-03-08 03:00", "2026-11-01 00:59", "2026-11-01 01:30"]
      .map((time) => `${time},1,1,1,1`),
    "2026-11-01 02:00,1,1,1,1",
  );
  const { bars, refused } = await readFiles({ "A_1m.csv": text }, { zone: "America/New_York" });
  const past = bars.map(({ ts }) => formatMinute(ts));
  assert.deepEqual(past, [
    "2026-03-08T06:59:00Z",
    "2026-03-08T07:00:00Z",
    "2026-11-01T04:59:00Z",
    "2026-11-01T07:00:00Z",
  ]);
  assert.deepEqual(refused, ["3 time that never was", "6 time that came twice"]);
});

Deno.test("readBars() adds --shift to every time", async () => {
  const { bars } = await readFiles({ "A.csv": lines(header, good) }, { shift: -1 });
  assert.deepEqual(bars.map(({ ts }) => formatMinute(ts)), ["2025-01-01T23:59:00Z"]);
});

Deno.test("readBars() widens high and low with clamp where they miss by rounding, and no further", async () => {
  const rows = [`${time},1,1.2,1,1.2000000000000002,,,`, "2025-01-02T00:06:00Z,1,1.2,1,1.21,,,"];
  const { bars, refused } = await readFiles({ "A.csv": lines(header, ...rows) }, { clamp: true });
  assert.deepEqual(bars.map(({ high }) => high), [1.2000000000000002]);
  assert.deepEqual(refused, ["3 prices contradict each other"]);
});

const badRows: [name: string, row: string, reason: string, message: RegExp][] = [
  ["an empty price", `${time},1,,1,1,,,`, "missing field", /high is empty/],
  ["an empty time", ",1,1,1,1,,,", "missing field", /the time is empty/],
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
    /high 1.2 is below close 1.2000000000000002 by rounding alone: --clamp widens high and low$/,
  ],
  [
    "low above open by rounding alone",
    `${time},1,2,1.0000000009,1,,,`,
    "rounding",
    /low .* is above close 1 by rounding/,
  ],
  ["high below low by more", `${time},1,1,1.000000002,1,,,`, "prices contradict each other", /check the columns/],
  ["a time between minutes", "2025-01-02T00:05:30Z,1,1,1,1,,,", "misaligned time", /is not the start of a minute/],
  ["a microsecond after a minute", "2025-01-02T00:05:00.000001Z,1,1,1,1,,,", "misaligned time", /is not the start/],
  ["a nanosecond", "2025-01-02T00:05:00.000000001Z,1,1,1,1,,,", "misaligned time", /is not the start/],
  ["a nanosecond of an epoch", "1735776300000000001,1,1,1,1,,,", "misaligned time", /is not the start/],
  ["an epoch of twelve digits", "173577630000,1,1,1,1,,,", "unreadable time", /no such (day|hour)/],
  ["an hour that no day has", "2025-01-02T24:00:00Z,1,1,1,1,,,", "unreadable time", /no such hour/],
  ["a zone in words", "2025-01-02T00:05:00 CET,1,1,1,1,,,", "unreadable time", /is not a time/],
  [
    "a zone that no list has",
    "2025-01-02T00:05:00 Mars/Base,1,1,1,1,,,",
    "unreadable time",
    /"Mars\/Base" is not known/,
  ],
  ["a time of text", "yesterday,1,1,1,1,,,", "unreadable time", /"yesterday" is not a time/],
  ["a day that is not in the calendar", "2025-02-30T00:00:00Z,1,1,1,1,,,", "unreadable time", /no such day/],
  ["a day", "2025-02-03,1,1,1,1,,,", "longer bar", /is a day/],
  ["a time without zone", "2025-01-02T00:05:00,1,1,1,1,,,", "time without zone", /has no zone, as the others have/],
  ["a time in the future", "2999-01-02T00:05:00Z,1,1,1,1,,,", "time in the future", /has not ended/],
  ["a year before 1900", "1899-01-02T00:05:00Z,1,1,1,1,,,", "unreadable time", /before 1900/],
  ["a negative volume", `${time},1,1,1,1,-1,,`, "negative volume", /vol -1 is negative/],
  ["a volume too small", `${time},1,1,1,1,1e-60,,`, "not a number", /too small/],
  ["a volume with a thousands separator", `${time},1,1,1,1,"1,200",,`, "not a number", /vol "1,200" is not a number/],
  ["a negative trade count", `${time},1,1,1,1,,,-1`, "negative trade count", /trade_count -1 is negative/],
  ["half a trade", `${time},1,1,1,1,,,1.5`, "not a number", /trade_count 1.5 is not a whole number/],
  ["text as vwap", `${time},1,1,1,1,,x,`, "not a number", /vwap "x" is not a number/],
  ["too few columns", `${time},1,1,1,1`, "missing columns", /5 fields, not 8/],
  ["too many columns", `${time},1,1,1,1,,,,`, "extra columns", /9 fields, not 8/],
  ["a minute twice", good, "duplicate", /A 2025-01-02T00:00:00Z was in an earlier row/],
  ["a stray quote", `${time},"1,1,1,1,,,`, "not a number", /open "\\"1"/],
];

for (const [name, row, reason, message] of badRows) {
  Deno.test(`readBars() refuses ${name} with its line, and reads on`, async () => {
    const after = "2025-01-02T00:09:00Z,1,1,1,1,,,";
    const { bars, refused, messages, failures } = await readFiles({ "A_1m.csv": lines(header, good, "", row, after) });
    assert.deepEqual(bars.map((bar) => bar.origin?.line), [2, 5]);
    assert.deepEqual(refused, [`4 ${reason}`]);
    assert.match(messages[0]!, message);
    assert.deepEqual(failures, []);
  });
}

Deno.test("readBars() takes a minute that an earlier file gave: the later file is newer", async () => {
  const { bars, refused } = await readFiles({ "A.csv": lines(header, good), "A_1m.csv": lines(header, good) });
  assert.deepEqual([bars.length, refused.length], [2, 0]);
});

Deno.test("readBars() refuses bars of a series that the database computes", async () => {
  const { bars, refused } = await readFiles({ "DXY_1m.csv": lines(header, good) });
  assert.deepEqual([bars.length, ...refused], [0, "2 computed series"]);
});

Deno.test("readBars() keeps the rows before the cut of a cut-off gzip file, and says so", async () => {
  const minutes = Array.from(
    { length: 30_000 },
    (_, minute) => new Date(Date.UTC(2025, 0, 2, 0, minute)).toISOString(),
  );
  const text = lines(header, ...minutes.map((ts, index) => `${ts},1.0001,1.0${index + 10000},1,1.0001,,,`));
  const packed = gzipSync(text);
  const { bars: whole } = await readFiles({ "A.csv.gz": packed });
  assert.equal(whole.length, 30_000);
  const { bars, refused, failures } = await readFiles({ "A.csv.gz": packed.subarray(0, packed.length - 9) });
  assert.deepEqual(failures, [
    "A.csv.gz: the compressed file is cut off; rows before the cut were read. Fetch it again",
  ]);
  assert.deepEqual(refused, []);
  assert.ok(bars.length > 10_000, `${bars.length}`);
  assert.ok(bars.map(line).join("\n") === whole.slice(0, bars.length).map(line).join("\n"));
});

Deno.test("readBars() refuses what is no table of 1m bars, file by file, and goes on", async () => {
  const hours = Array.from({ length: 24 }, (_, hour) => `2025-01-02T${String(hour).padStart(2, "0")}:00Z,1,1,1,1`);
  const prices = "ts_utc,open,high,low,close";
  const { bars, failures } = await readFiles({
    "A.csv": "",
    "B.csv": "not a table at all",
    "C.csv": lines("ts_utc,open,close", "2025-01-02T00:00:00Z,1,1"),
    "D.csv": lines(`${prices},open`, "2025-01-02T00:00:00Z,1,1,1,1,1"),
    "E.csv": lines(prices, ...hours),
    "F_1h.csv": lines(prices, "2025-01-02T00:00:00Z,1,1,1,1"),
    "G.csv": lines("Date,Open,High,Low,Close", "2025-01-02,1,1,1,1"),
    "H.csv": lines(
      "Price,Close,High,Low,Open,Volume",
      "Ticker,A,A,A,A,A",
      "Datetime,,,,,",
      "2025-01-02 10:00Z,1,1,1,1,1",
    ),
    "I.csv": '{"bars": []}',
    "I1.json": '{"chart": {"result": null, "error": {"code": "Not Found", "description": "No data found"}}}',
    "I2.json": '{"chart": {"result": [{"meta": {"dataGranularity": "1h"}}]}}',
    "I3.json": '{"chart": {"result": [{"meta": {"symb',
    "I4.json": '{"chart": {}}',
    "J.csv": new Uint8Array([65, 0, 66, 0, 10, 0]),
    "K_60.csv": "1767225600,9.0,9.1,8.9,9.0,1.5,4\n",
    "L.csv.zip": new Uint8Array([0x50, 0x4b, 1, 2, 3, 4]),
    "E_1m.csv": lines(prices, ...hours),
  }, { shift: 0 });
  assert.equal(bars.length, 24);
  const expected = [
    /^A\.csv: the file is empty$/,
    /^B\.csv: it has none of the columns open, high, low, close$/,
    /^C\.csv: the header lacks high, low: add what is missing, or give --map "COLUMN=high" where it has another name$/,
    /^D\.csv: the header names open twice$/,
    /^E\.csv: its first rows are at least 60 minutes apart: .*_1m$/,
    /^F_1h\.csv: its name says that its bars are of 1h: /,
    /^G\.csv: its times are days/,
    /^H\.csv: it has several lines before its rows/,
    /^I\.csv: it is JSON or HTML/,
    /^I1\.json: Yahoo answered "No data found", and no bars$/,
    /^I2\.json: its bars are of 1h: pgbars takes 1m bars/,
    /^I3\.json: its JSON is cut off or damaged/,
    /^I4\.json: it is an answer of Yahoo without bars$/,
    /^J\.csv: it is not text, or UTF-16 without/,
    /^K_60\.csv: its name says that its bars are of 60/,
    /^L\.csv\.zip: /,
  ];
  assert.equal(failures.length, expected.length, failures.join("\n"));
  for (const [index, pattern] of expected.entries()) assert.match(failures[index]!, pattern);
});

/** What a user has to rename or map. A name that everyone knows is taken as it is. */
const headers: [header: string, message: RegExp | null, given?: Given][] = [
  ["timestamp,open,high,low,close", null],
  ["Time,open,high,low,close", null],
  ["date,open,high,low,close,volume", null],
  ["Gmt time,Open,High,Low,Close,Volume", null],
  ["ts_utc,open,high,low,close,volume", null],
  ["ts_utc,open,high,low,close,<VOL>", null],
  ["t,o,h,l,c,v", null],
  ["timestamp,timeframe,updated_at,open,high,low,close", null],
  ["when,open,high,low,close", /the header lacks ts_utc/],
  ["Datum Zeit,open,high,low,close", /lacks ts_utc/],
  ["trade time,open,high,low,close", /lacks ts_utc|rename trade time/],
  ["time_of_bar,open,high,low,close", /rename time_of_bar to ts_utc, or give --map "time_of_bar=ts_utc"/],
  ["unix,date,symbol,open,high,low,close", /unix and date may all be ts_utc: --map "unix=ts_utc" says which one is/],
  ["unix,date,symbol,open,high,low,close", null, { map: "unix=ts_utc" }],
  ["timestamp,interval_begin,open,high,low,close", /timestamp and interval_begin may all be ts_utc/],
  ["ts_utc,open,high,low,close,vol.", /rename vol\. to vol/],
  ["ts_utc,open,high,low,close,tickvol", /rename tickvol to vol/],
  ["ts_utc,open,high,low,close,tickvol", null, { map: "tickvol=vol" }],
  ["ts_utc,open,high,low,close,tickvol", null, { map: "tickvol=none" }],
  ["ts_utc,open,high,low,close,Volume BTC,Volume USDT", /Volume BTC and Volume USDT may all be vol: --map/],
  ["ts_utc,open,high,low,close,vol,volume", null],
  ["ts_utc,open,high,low,close,volume,v", /volume and v may all be vol/],
  ["ts_utc,open,high,low,close,trade volume", /rename trade volume to vol/],
  ["ts_utc,open,high,low,close,vol,trades", null],
  ["ts_utc,open,high,low,close,vol,num trades", /rename num trades to trade_count/],
  ["ts_utc,open,high,low,close,vol,volume weighted average", /rename volume weighted average to vwap/],
  ["ts_utc,open,high,low,close,ticker name", /rename ticker name to canonical_symbol/],
  ["ts_utc,open,high,low,close,ticker name", null, { symbol: "A" }],
  [
    "timestamp,1. open,2. high,3. low,4. close,5. volume",
    /rename 1\. open to open.*; rename 2\. high to high.*; rename 5\. volume to vol/,
  ],
  ["ts_utc,open,high,low,close", /--map names volume, but the columns are ts_utc, open/, { map: "volume=vol" }],
];

for (const [names, message, given = {}] of headers) {
  Deno.test(`readBars() ${message ? "asks about" : "takes"} the header ${names} ${JSON.stringify(given)}`, async () => {
    const row: string[] = names.split(",").map((_, index) =>
      index === 0 ? "1735776000" : index === 1 && names.startsWith("unix") ? "x" : "1"
    );
    const tf = names.split(",").indexOf("timeframe");
    if (tf >= 0) row[tf] = "1m";
    const { bars, failures } = await readFiles({ "A.csv": lines(names, row.join(",")) }, given);
    assert.equal(failures.length, message === null ? 0 : 1, failures.join());
    assert.equal(bars.length, message === null ? 1 : 0);
    if (message !== null) assert.match(failures[0]!, message);
  });
}

Deno.test("readBars() says that a file has no header", async () => {
  const { bars, failures } = await readFiles({
    "A.csv": lines(good, good),
    "B.csv": lines("1735776000000,1.1,1.4,1.0,1.2,10"),
  });
  assert.deepEqual(bars, []);
  for (const failure of failures) assert.match(failure, /: the file has no header, .* ts_utc,open,high,low,close,vol$/);
  assert.equal(failures.length, 2);
});

Deno.test("readBars() takes ticks for no bars, and asks for the zone of an old file of Dukascopy", async () => {
  const ticks = "20260202 000100123,1.100100,1.100200,0\n";
  const unknown = await readFiles({ "DAT_ASCII_EURUSD_T_202602.csv": ticks });
  assert.match(unknown.failures[0]!, /the file has no header/);
  const named = await readFiles({ "DAT_ASCII_EURUSD_T_202602.csv": ticks }, { format: "histdata", shift: 0 });
  assert.match(named.failures[0]!, /its first row has 4 columns, where histdata has 6/);

  const old = { "EURUSD.csv": lines("Time,Open,High,Low,Close,Volume", "2014/08/01 12:15:00,1,2,1,2,0.5") };
  assert.match((await readFiles(old, { format: "dukascopy" })).failures[0]!, /give --zone/);
  const { bars } = await readFiles(old, { format: "dukascopy", zone: "UTC" });
  assert.deepEqual(bars.map(line), ["EURUSD 2014-08-01T12:15:00Z 1 2 1 2 500000 - -"]);
});

Deno.test("readBars() says which columns it does not use, whatever they hold", async () => {
  const { bars, layouts } = await readFiles({
    "A.csv": lines(`${header},quote_volume,volatility,spread`, `${good},2,3,4`),
  });
  assert.deepEqual(bars.map(({ vol }) => vol), [10]);
  assert.deepEqual(layouts[0]?.unused, ["quote_volume", "volatility", "spread"]);
});

Deno.test("readBars() skips a minute whose prices are null, and never takes them for 0", async () => {
  const { bars, skipped } = await readFiles({ "A.csv": lines(header, good, `${time},null,null,null,null,null,,`) });
  assert.deepEqual([bars.length, ...skipped], [1, "no prices"]);
});

Deno.test("readBars() takes the minutes that MetaTrader 4 puts behind the symbol for no part of it", async () => {
  const rows = lines("2026.02.02,00:01,1.1,1.2,1.0,1.1,7", "2026.02.02,00:02,1.1,1.2,1.0,1.1,7");
  const { bars, failures } = await readFiles({ "GBPUSD1.csv": rows, "US30.csv": rows }, { zone: "UTC" });
  assert.deepEqual([bars.map(({ symbol }) => symbol), failures], [["GBPUSD", "GBPUSD", "US30", "US30"], []]);
});
