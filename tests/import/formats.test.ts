import assert from "node:assert/strict";
import { FORMATS } from "../../cli/lib/import/formats.ts";
import { type Given, line, readGolden } from "./reading.ts";

interface Golden {
  file: string;
  given?: Given;
  format: string;
  bars: string[];
  refused?: string[];
  skipped?: string[];
  unused?: string[];
  hint?: RegExp;
}

const FILES: Golden[] = [
  {
    file: "ACME_chart.json",
    format: "yahoo-json",
    // A null is no 0, and the last row is the price of the moment.
    bars: [
      "ACME 2026-01-02T14:30:00Z 10.25 10.5 10 10.300000190734863 1200 - -",
      "ACME 2026-01-02T14:31:00Z 10.300000190734863 10.399999618530273 10.199999809265137 10.25 0 - -",
      "ACME 2026-01-02T14:33:00Z 10.5 10.75 10.5 10.75 - - -",
    ],
    refused: ["6 misaligned time"],
    skipped: ["no prices"],
    hint: /adjusted for splits/,
  },
  {
    file: "DAT_ASCII_EURUSD_M1_202607.csv",
    given: { shift: 0 },
    format: "histdata",
    // EST without daylight saving time, also in July.
    bars: [
      "EURUSD 2026-07-01T05:00:00Z 1.1001 1.1003 1.1 1.1002 0 - -",
      "EURUSD 2026-07-01T05:01:00Z 1.1002 1.1004 1.1002 1.1003 0 - -",
      "EURUSD 2026-08-01T04:59:00Z 1.1003 1.1003 1.1001 1.1001 0 - -",
    ],
  },
  {
    file: "HISTDATA_COM_EURUSD.zip",
    given: { shift: 0 },
    format: "histdata",
    bars: [
      "EURUSD 2026-07-01T05:00:00Z 1.1001 1.1003 1.1 1.1002 0 - -",
      "EURUSD 2026-07-01T05:01:00Z 1.1002 1.1004 1.1002 1.1003 0 - -",
      "EURUSD 2026-08-01T04:59:00Z 1.1003 1.1003 1.1001 1.1001 0 - -",
    ],
  },
  {
    file: "DAT_MT_EURUSD_M1_2026.csv",
    given: { shift: -1 },
    format: "histdata-mt",
    bars: [
      "EURUSD 2026-02-01T03:59:00Z 1.1001 1.1003 1.1 1.1002 0 - -",
      "EURUSD 2026-02-01T04:00:00Z 1.1002 1.1004 1.1002 1.1003 0 - -",
    ],
  },
  {
    file: "ES_ninja.txt",
    given: { zone: "America/New_York", shift: -1, symbol: "ES" },
    format: "ninjatrader",
    bars: [
      "ES 2026-02-02T14:29:00Z 5010.25 5011.5 5009.75 5011 320 - -",
      "ES 2026-02-02T14:30:00Z 5011 5012 5010.5 5010.5 210 - -",
    ],
  },
  {
    file: "GBPUSD_mt4.csv",
    given: { zone: "NewYork+7", symbol: "GBPUSD" },
    format: "mt4",
    // Two days after the clock of New York went forward, and before that of Europe.
    bars: [
      "GBPUSD 2026-03-09T21:00:00Z 1.2501 1.2504 1.25 1.2502 41 - -",
      "GBPUSD 2026-03-09T21:01:00Z 1.2502 1.2503 1.2499 1.2499 37 - -",
    ],
  },
  {
    file: "GBPUSD_mt4.csv",
    given: { zone: "Europe/Helsinki", symbol: "GBPUSD" },
    format: "mt4",
    bars: [
      "GBPUSD 2026-03-09T22:00:00Z 1.2501 1.2504 1.25 1.2502 41 - -",
      "GBPUSD 2026-03-09T22:01:00Z 1.2502 1.2503 1.2499 1.2499 37 - -",
    ],
  },
  {
    file: "GBPUSD_M1_202603100000_202603100002.csv",
    given: { zone: "NewYork+7" },
    format: "mt5",
    bars: [
      "GBPUSD 2026-03-09T21:00:00Z 1.2501 1.2504 1.25 1.2502 41 - -",
      "GBPUSD 2026-03-09T21:01:00Z 1.2502 1.2503 1.2499 1.2499 37 - -",
    ],
    refused: ["4 missing columns"],
    unused: ["<VOL>", "<SPREAD>"],
    hint: /^vol is <TICKVOL>, since <vol> is 0/,
  },
  {
    file: "SBER_M1_utf16.csv",
    given: { zone: "Europe/Moscow", symbol: "SBER" },
    format: "mt5",
    bars: ["SBER 2026-03-10T07:00:00Z 101 102 100 101.5 1500 - -"],
    unused: ["<TICKVOL>", "<SPREAD>"],
    hint: /^vol is <VOL>/,
  },
  {
    file: "SBER_M1_utf16.csv",
    given: { zone: "Europe/Moscow", symbol: "SBER", map: "<TICKVOL>=vol" },
    format: "mt5",
    bars: ["SBER 2026-03-10T07:00:00Z 101 102 100 101.5 41 - -"],
    unused: ["<VOL>", "<SPREAD>"],
  },
  {
    file: "EURUSD_Candlestick_1_M_BID_01.07.2026-03.07.2026.csv",
    format: "dukascopy",
    // The day comes first, and volume counts millions.
    bars: [
      "EURUSD 2026-07-01T00:00:00Z 1.1001 1.1003 1.1 1.1002 50400 - -",
      "EURUSD 2026-07-01T00:01:00Z 1.1002 1.1002 1.1001 1.1001 12500000 - -",
      "EURUSD 2026-07-01T00:03:00Z 1.1001 1.1001 1.1001 1.1001 300000 - -",
    ],
    skipped: ["flat"],
  },
  {
    file: "EURUSD_Candlestick_1_M_ASK_local.csv",
    given: { symbol: "EURUSD" },
    format: "dukascopy-local",
    bars: ["EURUSD 2026-06-30T21:00:00Z 1.1001 1.1003 1.1 1.1002 50400 - -"],
  },
  {
    file: "eurusd-m1-bid-2026-07-01-2026-07-02.csv",
    format: "dukascopy-node",
    bars: [
      "EURUSD 2026-07-01T00:00:00Z 1.1001 1.1003 1.1 1.1002 - - -",
      "EURUSD 2026-07-01T00:01:00Z 1.1002 1.1002 1.1001 1.1001 - - -",
    ],
  },
  {
    file: "BTCUSDT-1m-2024-12.csv",
    format: "binance",
    bars: [
      "BTCUSDT 2024-12-31T23:58:00Z 1 1.2 0.9 1.1 50 1.1 9",
      "BTCUSDT 2024-12-31T23:59:00Z 1.1 1.3 1 1.2 40 1.15 8",
    ],
    unused: ["close_time", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume", "ignore"],
  },
  {
    file: "BTCUSDT-1m-2025-01.csv",
    format: "binance",
    bars: [
      "BTCUSDT 2025-01-01T00:00:00Z 1.2 1.4 1.1 1.3 20 1.25 7",
      "BTCUSDT 2025-01-01T00:01:00Z 1.3 1.3 1.3 1.3 0 - 0",
    ],
    unused: ["close_time", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume", "ignore"],
  },
  {
    file: "ETHUSDT-1m-2026-01-02.csv",
    format: "binance",
    bars: ["ETHUSDT 2026-01-02T00:00:00Z 10 12 9 11 50 11 9"],
    refused: ["3 longer bar"],
    unused: ["close_time", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume", "ignore"],
  },
  {
    file: "BTCUSD_PERP-1m-2026-01.csv",
    format: "binance",
    // Volume counts contracts: 5000 / 50 would be a price, but is not that of this bar.
    bars: ["BTCUSD_PERP 2026-01-02T00:00:00Z 100 120 90 110 50 - 9"],
    unused: ["close_time", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume", "ignore"],
  },
  {
    file: "XBTUSD_1.csv.gz",
    given: { shift: 0 },
    format: "kraken",
    bars: [
      "XBTUSD 2026-01-01T00:00:00Z 9 9.1 8.9 9 1.5 - 4",
      "XBTUSD 2026-01-01T00:03:00Z 9 9.2 9 9.2 0.25 - 1",
    ],
    hint: /sparse/,
  },
  {
    file: "AAPL_yfinance.csv",
    given: { symbol: "AAPL" },
    format: "yahoo",
    bars: [
      "AAPL 2026-01-02T14:30:00Z 101 102 100.5 101.5 12000 - -",
      "AAPL 2026-01-02T14:31:00Z 101.5 101.75 101.25 101.5 8000 - -",
      "AAPL 2026-01-02T14:33:00Z 101.5 101.75 101.25 101.5 0 - -",
    ],
    skipped: ["no prices"],
    refused: ["6 duplicate", "7 misaligned time"],
    unused: ["Adj Close"],
    hint: /Adj Close/,
  },
  {
    file: "MSFT_1m.csv",
    format: "yahoo-adjusted",
    bars: ["MSFT 2026-01-02T14:30:00Z 401 402 400.5 401.5 1200 - -"],
    hint: /adjusted for dividends already/,
  },
  {
    file: "NASDAQ_AAPL, 1_0a1b2.csv",
    format: "tradingview",
    bars: [
      "NASDAQ_AAPL 2026-01-02T14:30:00Z 101 102 100.5 101.5 12000 - -",
      "NASDAQ_AAPL 2026-01-02T14:31:00Z 101.5 101.75 101.25 101.5 - - -",
    ],
    unused: ["VWMA", "Plot"],
  },
  {
    file: "2026-01-02.csv",
    format: "massive",
    bars: [
      "AAPL 2026-01-02T09:30:00Z 200.29 200.63 200.29 200.5 4930 - 129",
      "AAPL 2026-01-02T09:31:00Z 200.39 200.61 200.34 200.61 1815 - 57",
      "BRK.A 2026-01-02T09:30:00Z 700000 700001 700000 700000.5 1 - 1",
    ],
    hint: /sparse/,
  },
  {
    file: "futures_massive.csv",
    format: "massive",
    bars: ["ESH6 2026-01-02T09:30:00Z 5010 5010.5 5009.75 5010.25 12 - 7"],
    unused: ["exchange", "dollar_volume", "session_end_date"],
  },
  {
    file: "databento.csv",
    format: "databento",
    bars: [
      "ESH6 2026-01-02T09:30:00Z 1234.5 1235 1234.25 1234.75 320 - -",
      "ESH6 2026-01-02T09:31:00Z 1234.75 1235 1234.5 1234.5 20 - -",
    ],
    refused: ["4 other publisher", "5 longer bar"],
    unused: ["rtype", "publisher_id", "instrument_id"],
  },
  {
    file: "stooq.txt",
    given: { zone: "America/New_York", shift: -1 },
    format: "metastock",
    // The zero before 9 is gone in one row.
    bars: [
      "AAPL.US 2026-01-02T14:29:00Z 101 102 100.5 101.5 12000 - -",
      "AAPL.US 2026-01-02T14:30:00Z 101.5 101.75 101.25 101.5 8000 - -",
    ],
    refused: ["4 longer bar"],
    unused: ["<PER>", "<OPENINT>"],
  },
  {
    file: "BTC-USD_coinbase.csv",
    given: { format: "coinbase", symbol: "BTC-USD" },
    format: "coinbase",
    bars: [
      "BTC-USD 2026-01-02T00:01:00Z 10 12 9 11 2.5 - -",
      "BTC-USD 2026-01-02T00:00:00Z 9 11 8 10 1.5 - -",
    ],
  },
  {
    file: "semicolons_1m.csv",
    given: { zone: "Europe/Berlin", map: "Datum Zeit=ts_utc" },
    format: "csv",
    bars: [
      "DAX 2026-01-02T08:30:00Z 24500.5 24501.25 24500 24500.75 1200 - -",
      "DAX 2026-01-02T08:31:00Z 24500.75 24502 24500.5 24501 800.5 - -",
    ],
  },
  {
    file: "quoted_1m.csv",
    format: "csv",
    bars: [
      "A,B 2026-01-02T09:00:00Z 1.5 2 1 1.75 3 1.6 4",
      "A,B 2026-01-02T09:01:00Z 1.75 2 1.5 1.75 - - -",
    ],
  },
  {
    file: "slashes.csv",
    given: { zone: "UTC", dateOrder: "mdy" },
    format: "csv",
    bars: ["slashes 2026-07-01T09:30:00Z 1 2 1 2 - - -"],
  },
  {
    file: "slashes.csv",
    given: { zone: "UTC", dateOrder: "dmy" },
    format: "csv",
    bars: ["slashes 2026-01-07T09:30:00Z 1 2 1 2 - - -"],
  },
];

for (const { file, given, format, bars, refused = [], skipped = [], unused = [], hint } of FILES) {
  Deno.test(`readBars() reads ${file} with ${JSON.stringify(given ?? {})}`, async () => {
    const reading = await readGolden(file, given);
    assert.deepEqual(reading.failures, []);
    assert.deepEqual(reading.bars.map(line), bars);
    assert.deepEqual(reading.refused, refused);
    assert.deepEqual(reading.skipped, skipped);
    const [layout] = reading.layouts;
    assert.equal(layout?.format.name, format);
    assert.deepEqual(layout?.unused, unused);
    if (hint !== undefined) assert.match(layout?.hints[0] ?? "", hint);
  });
}

Deno.test("every format has a golden file", () => {
  const seen = new Set(FILES.map(({ format }) => format));
  assert.deepEqual(FORMATS.map(({ name }) => name).filter((name) => !seen.has(name)), []);
});

/** Files that need an answer first: the options are in the message. */
const QUESTIONS: [file: string, given: Given, message: RegExp][] = [
  ["DAT_ASCII_EURUSD_M1_202607.csv", {}, /does not say whether a time is the start or the end.*--shift 0.*--shift -1m/],
  ["ES_ninja.txt", {}, /no zone: give --zone.*or --format histdata for.*; NinjaTrader.*--shift/],
  ["ES_ninja.txt", { zone: "UTC" }, /^ES_ninja\.txt: NinjaTrader.*--shift -1m/],
  ["GBPUSD_mt4.csv", {}, /no zone: give --zone.*NewYork\+7.*--format histdata-mt/],
  ["GBPUSD_M1_202603100000_202603100002.csv", {}, /no zone: give --zone/],
  ["XBTUSD_1.csv", {}, /Kraken OHLCVT does not say .*--shift 0/],
  ["stooq.txt", {}, /no zone: .*; MetaStock.*--shift/],
  ["BTC-USD_coinbase.csv", {}, /the file has no header/],
  ["slashes.csv", { zone: "UTC" }, /its time 07\/01\/2026 09:30 may have the day or the month first: --date-order dmy/],
  [
    "semicolons_1m.csv",
    { zone: "UTC" },
    /rename Datum Zeit to ts_utc, or give --map "Datum Zeit=ts_utc"|the header lacks ts_utc/,
  ],
];

for (const [file, given, message] of QUESTIONS) {
  Deno.test(`readBars() asks before it reads ${file} with ${JSON.stringify(given)}`, async () => {
    const { bars, failures } = await readGolden(file, given);
    assert.deepEqual(bars, []);
    assert.equal(failures.length, 1);
    assert.match(failures[0]!, message);
  });
}
