import { alignColumns } from "../table.ts";
import { type Bar, formatMinute } from "./bar.ts";
import type { Problems } from "./problems.ts";
import type { ImportResult, SymbolSummary } from "./run_import.ts";

const LISTED = 10;

/** What was understood of the files, and the first bars: for a reader of a dry run. */
export function describeReading({ files, symbols }: ImportResult, sample: readonly Bar[]): string[] {
  return [
    ...describeFiles(files),
    ...describeSymbols(symbols),
    ...sample.length === 0 ? [] : [
      "The first bars, in UTC:",
      ...alignColumns([
        ["symbol", "minute", "open", "high", "low", "close", "vol", "vwap", "trades"],
        ...sample.map(({ symbol, ts, open, high, low, close, vol, vwap, tradeCount }) => [
          ...[symbol, formatMinute(ts)],
          ...[open, high, low, close].map(String),
          ...[vol, vwap, tradeCount].map((value) => value === null ? "" : String(value)),
        ]),
      ]).map((line) => `  ${line}`),
    ],
  ];
}

/** What an import did. */
export function describeImport(result: ImportResult): string[] {
  const { symbols, inserted, updated, unchanged, superseded, seconds, unregistered } = result;
  const rate = Math.round(result.bars / Math.max(seconds, 0.001));
  return [
    ...describeFiles(result.files),
    ...describeSymbols(symbols),
    `${count(inserted)} bars are new, ${count(updated)} changed, ${count(unchanged)} were there already` +
    (superseded === 0 ? "" : `, ${count(superseded)} came again in a later file`) +
    `; ${seconds.toFixed(1)} s, ${count(rate)} a second.`,
    ...unregistered.length === 0 ? [] : [
      `The registry does not have ${
        list(unregistered)
      }: nothing is built from these bars until it does, for instance by`,
      `  insert into core_asset_registry_all (canonical_symbol, active) values ('${
        unregistered[0]!.replaceAll("'", "''")
      }', true);`,
    ],
  ];
}

/** Refused rows and files, by reason, with the first rows of each. */
export function describeProblems({ skipped, failures }: ImportResult, problems: Problems): string[] {
  return [
    ...skipped.map(({ reason, count: rows }) => `${count(rows)} rows are no bars and were left out: ${reason}.`),
    ...problems.describeRows(),
    ...failures.map((failure) => `Not read: ${failure}`),
  ];
}

function describeFiles(files: ImportResult["files"]): string[] {
  const lines = files.slice(0, LISTED).flatMap(({ file, format, symbol, zone, shift, unused, hints }) => [
    `${file}: ${format}; symbol ${symbol ?? "in a column"}; zone ${zone}${
      shift === "0m" ? "" : `; shifted by ${shift}`
    }`,
    ...unused.length === 0 ? [] : [`  not used: ${unused.join(", ")}`],
    ...hints.map((hint) => `  ${hint}`),
  ]);
  return files.length > LISTED ? [...lines, `and ${files.length - LISTED} more files`] : lines;
}

function describeSymbols(symbols: readonly SymbolSummary[]): string[] {
  const lines = alignColumns(
    symbols.slice(0, LISTED).map((
      { symbol, bars, first, last },
    ) => [symbol, `${count(bars)} bars`, `${first} to ${last}`]),
  );
  return symbols.length > LISTED ? [...lines, `and ${symbols.length - LISTED} more symbols`] : lines;
}

function list(names: readonly string[]): string {
  const more = names.length - LISTED;
  return more > 0 ? `${names.slice(0, LISTED).join(", ")} and ${more} more` : names.join(", ");
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
