/** What a column of a file may hold. `date` and `time` are the two parts of a time that stands in two columns. */
export const FIELDS = [
  ...(["canonical_symbol", "timeframe", "ts_utc", "date", "time", "open", "high", "low", "close"] as const),
  ...(["vol", "vwap", "trade_count", "is_partial"] as const),
] as const;
export type Field = typeof FIELDS[number];

/** A format of files: what tells it, and what is true of its files beyond their columns. */
export interface Format {
  /** What `--format` takes. */
  name: string;
  /** Whose files these are, for people. */
  about: string;
  /** The columns of a file without a header. */
  columns?: readonly string[];
  /** The first line of a file. */
  line?: RegExp;
  /** Columns that the header of a file has, in lower case. */
  header?: readonly string[];
  /**
   * The name of a file, without its endings. The group `symbol` is the symbol, `minutes` the length of its bars. It tells the
   * format where neither `line` nor `header` does. `--format` must name a format that has none of the three.
   */
  file?: RegExp;
  /** The clock of the times that have no zone. Without it the user is asked. */
  zone?: string;
  /** The vendor does not say whether times are starts or ends of minutes: the user is asked. */
  asksShift?: true;
  /** `vol` is in units of this power of ten. */
  volExponent?: number;
  /** Prices without a decimal point are in units of this power of ten. */
  priceExponent?: number;
  /** Minutes without a trade are written with four equal prices and no volume. */
  fillsClosedMinutes?: true;
  /** `vwap` is this column divided by `vol`, unless the symbol matches `contracts`, whose volume counts contracts. */
  vwapFrom?: { column: string; contracts: RegExp };
  /** The end of the bar, which tells its length. */
  end?: string;
  /** The column that counts when the one that `vol` is taken from is 0 in the first rows. */
  volOtherwise?: { column: string; instead: string };
  /** Columns with one value that a row of 1m bars has. */
  only?: Readonly<Record<string, string>>;
  /** A column that must have the same value in every row. */
  one?: string;
  /** Something to know about the bars, said at every import. */
  hint?: string;
}

const SPARSE = "a minute without a trade has no row: consider metadata.agg.sparse for the asset";
const MT4_LINE = /^\d{4}\.\d\d\.\d\d,\d\d:\d\d,(?:[^,]+,){4}[^,]+$/;
const MT4_COLUMNS = ["Date", "Time", "Open", "High", "Low", "Close", "Volume"];

/** Recognised as JSON, and read as lines of these columns. */
export const YAHOO_JSON: Format = {
  name: "yahoo-json",
  about: "Yahoo, an answer of its chart API",
  columns: ["symbol", "timestamp", "open", "high", "low", "close", "volume"],
  hint: "prices are adjusted for splits, and not for dividends",
};

/** All formats. The first one that a file matches is taken. */
export const FORMATS: readonly Format[] = [
  {
    name: "histdata",
    about: "HistData, ASCII",
    columns: ["DateTime", "Open", "High", "Low", "Close", "Volume"],
    file: /^DAT_(?:ASCII|NT)_(?<symbol>[A-Z0-9]+)_M(?<minutes>1)_\d+$/i,
    zone: "-05:00",
    asksShift: true,
  },
  {
    name: "histdata-mt",
    about: "HistData, MetaTrader",
    columns: MT4_COLUMNS,
    file: /^DAT_MT_(?<symbol>[A-Z0-9]+)_M(?<minutes>1)_\d+$/i,
    zone: "-05:00",
    asksShift: true,
  },
  {
    name: "ninjatrader",
    about: "NinjaTrader, or HistData under another name",
    columns: ["DateTime", "Open", "High", "Low", "Close", "Volume"],
    line: /^\d{8} \d{6};(?:[^;]+;){4}[^;]+$/,
    asksShift: true,
  },
  {
    name: "mt4",
    about: "MetaTrader 4, or HistData under another name",
    columns: MT4_COLUMNS,
    line: MT4_LINE,
    // The symbol with the minutes behind it.
    file: /^(?<symbol>[A-Z]{3,})(?<minutes>1)$/,
  },
  {
    name: "mt5",
    about: "MetaTrader 5",
    header: ["<date>", "<time>", "<open>", "<tickvol>"],
    volOtherwise: { column: "<vol>", instead: "<tickvol>" },
  },
  {
    name: "dukascopy",
    about: "Dukascopy, from the web",
    header: ["gmt time"],
    zone: "UTC",
    volExponent: 6,
    fillsClosedMinutes: true,
  },
  {
    name: "dukascopy-local",
    about: "Dukascopy, from the web, local time",
    header: ["local time"],
    volExponent: 6,
    fillsClosedMinutes: true,
  },
  {
    name: "dukascopy-node",
    about: "dukascopy-node",
    columns: ["timestamp", "open", "high", "low", "close", "volume"],
    file: /^(?<symbol>[a-z0-9]+)-m(?<minutes>\d+)-(?:bid|ask)-/,
    volExponent: 6,
    fillsClosedMinutes: true,
  },
  {
    name: "binance",
    about: "Binance klines",
    columns: [
      ...["open_time", "open", "high", "low", "close", "volume", "close_time"],
      ...["quote_volume", "count", "taker_buy_volume", "taker_buy_quote_volume", "ignore"],
    ],
    line: /^(?:\d{13}|\d{16}),(?:[^,]+,){5}(?:\d{13}|\d{16}),(?:[^,]+,){4}[^,]+$/,
    header: ["open_time", "close_time", "quote_volume"],
    vwapFrom: { column: "quote_volume", contracts: /USD_/ },
    end: "close_time",
  },
  {
    name: "kraken",
    about: "Kraken OHLCVT",
    columns: ["time", "open", "high", "low", "close", "volume", "trades"],
    line: /^\d{10},(?:[^,]+,){5}\d+$/,
    file: /^(?<symbol>[A-Z0-9.]+)_(?<minutes>\d{1,5})$/,
    asksShift: true,
    hint: SPARSE,
  },
  {
    name: "massive",
    about: "Massive (Polygon) flat files",
    header: ["ticker", "window_start"],
    hint: "a minute without an eligible trade has no row: consider metadata.agg.sparse for assets that trade little",
  },
  {
    name: "databento",
    about: "Databento ohlcv-1m",
    header: ["ts_event", "publisher_id"],
    priceExponent: -9,
    only: { rtype: "33" },
    one: "publisher_id",
    hint: SPARSE,
  },
  {
    name: "metastock",
    about: "MetaStock text: Stooq and others",
    header: ["<ticker>", "<date>", "<time>"],
    only: { "<per>": "1" },
    asksShift: true,
  },
  {
    name: "yahoo",
    about: "Yahoo, as yfinance writes it",
    header: ["open", "high", "low", "close", "adj close"],
    hint:
      "prices are those of Close, which is adjusted for splits; Adj Close, adjusted for dividends as well, is not used",
  },
  YAHOO_JSON,
  {
    name: "yahoo-adjusted",
    about: "Yahoo, as yfinance writes it without Adj Close",
    header: ["datetime", "open", "high", "low", "close", "volume"],
    hint: "where yfinance writes no Adj Close, its prices are adjusted for dividends already",
  },
  {
    name: "coinbase",
    about: "Coinbase candles without a header",
    columns: ["time", "low", "high", "open", "close", "volume"],
  },
  {
    name: "tradingview",
    about: "TradingView, and others with the column time",
    line: /^time,open,high,low,close\b/i,
    file: /^(?<symbol>.+), ?(?<minutes>\d+[A-Z]?)(?:_[0-9a-f]+)?$/,
  },
  { name: "csv", about: "CSV with a header", header: [] },
];

/** Names that say to everyone what a column holds, by lower-case name. */
export const ALIASES: Readonly<Record<string, Field>> = {
  ...alias("canonical_symbol", ["canonical_symbol", "symbol", "ticker", "<ticker>", "instrument", "pair", "sym"]),
  ...alias("timeframe", ["timeframe"]),
  ...alias("ts_utc", [
    ...["ts_utc", "timestamp", "time", "date", "datetime", "date_time", "date time", "<datetime>", "<date>", "<time>"],
    ...[
      "gmt time",
      "local time",
      "window_start",
      "interval_begin",
      "open_time",
      "open time",
      "ts_event",
      "ts",
      "t",
      "unix",
      "epoch",
    ],
  ]),
  ...alias("open", ["open", "<open>", "o"]),
  ...alias("high", ["high", "<high>", "h"]),
  ...alias("low", ["low", "<low>", "l"]),
  ...alias("close", ["close", "<close>", "c"]),
  ...alias("vol", ["vol", "<vol>", "volume", "v"]),
  ...alias("vwap", ["vwap", "vw"]),
  ...alias("trade_count", ["trade_count", "trades", "transactions", "count", "n", "number_of_trades"]),
  ...alias("is_partial", ["is_partial"]),
};

function alias(field: Field, names: readonly string[]): Record<string, Field> {
  return Object.fromEntries(names.map((name) => [name, field]));
}

/** Two columns that make one time, by lower-case names of the date and of the time of day. */
export const SPLIT_TIMES: readonly (readonly [date: string, time: string])[] = [
  ["date", "time"],
  ["<date>", "<time>"],
];

/** Columns of exports of pgbars that say nothing about the minute. */
export const KNOWN_UNUSED = ["quality_score"];

/** What a column under another name may hold, by its letters and digits. The first match counts. */
export const LOOKS_LIKE: readonly (readonly [name: RegExp, field: Field | undefined])[] = [
  [/volatil|timeframe|timezone|update/, undefined],
  [/vwap|weighted|^(vw|wap)$/, "vwap"],
  [/vol|^(v|qty|quantity|turnover)$/, "vol"],
  [/trade|transaction|^(n|count)$/, "trade_count"],
  [/time|date|unix|epoch|^(ts?|ts.*utc)$/, "ts_utc"],
  [/symbol|ticker|instrument|^(sym|pair)$/, "canonical_symbol"],
  ...(["open", "high", "low", "close"] as const).map((price) =>
    [new RegExp(`^(${price[0]}|\\d*(bid|mid)?${price}(price|bid|mid)?)$`), price] as const
  ),
];
