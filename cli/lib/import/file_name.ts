import { basename } from "node:path";

const DATE = String.raw`\d{4}(?:-?\d\d(?:-?\d\d(?:\d{4}(?:\d\d)?)?)?)?|\d\d\.\d\d\.\d{4}`;
const MINUTE = String.raw`1m|m1|1min|1_m`;
const SIDE = String.raw`bid|ask|mid|candlestick`;
const LONGER = String.raw`(\d+)_?(s|m|min|h|d|w)|(m|h|d|w|mn)(\d+)|(daily|hourly|weekly|monthly)`;
const SEPARATOR = "[ _,-]+";

const ENDINGS = new RegExp(`^(.+?)(?:${SEPARATOR}(?:${DATE}|${MINUTE}|${SIDE}))*$`, "i");
const SAYS_MINUTES = new RegExp(`${SEPARATOR}(?:${MINUTE})(?=[ _,-]|$)`, "i");
const SAYS_LONGER = new RegExp(`${SEPARATOR}(?:${LONGER})(?=[ _,-]|$)`, "i");

/** What the name of a file says. */
export interface FileName {
  /** Empty where the name is a date alone. */
  symbol: string;
  /** The length of the bars, as the name has it; "1m" for one minute, undefined where it says nothing. */
  timeframe: string | undefined;
}

/** Without folder and endings: `data/EURUSD_1m.csv.gz` is `EURUSD_1m`. */
export function stem(file: string): string {
  return basename(file).replace(/(\.(csv|txt|tsv|prn|json|gz|zip))+$/i, "");
}

/**
 * Reads the name of a file: the symbol, without what vendors put behind it, so that the files of its months belong to one
 * symbol. `GBPUSD_1m.csv.gz`, `GBPUSD-1m-2026-01.zip` and `GBPUSD.csv` are GBPUSD.
 */
export function readFileName(file: string): FileName {
  const name = stem(file);
  const timeframe = SAYS_MINUTES.test(name) ? "1m" : SAYS_LONGER.exec(name)?.[0].replace(/^[ _,-]+/, "");
  if (new RegExp(`^(?:${DATE})$`).test(name)) return { symbol: "", timeframe };
  return { symbol: ENDINGS.exec(name)![1]!, timeframe };
}
