import { createWriteStream } from "node:fs";
import process from "node:process";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { stringify } from "csv-stringify/sync";
import { COLUMNS, type Row } from "./row.ts";

/** Writes rows into a file, part by part. */
export interface RowWriter {
  write(rows: readonly Row[]): Promise<void>;
  /** Writes what is left. Without it the file is not whole. */
  end(): Promise<void>;
}

/** Opens a file of text, or standard output without `path`. */
export function openTextWriter(format: "csv" | "jsonl", path: string | undefined): RowWriter {
  const stream = path === undefined ? process.stdout : createWriteStream(path);
  // The callback of the write that fails says it. Without a listener the event would end the program.
  stream.on("error", () => {});
  const encode = format === "csv" ? encodeCsv : encodeJson;
  let isBegun = format === "jsonl";
  const put = async (rows: readonly Row[]) => {
    const header = isBegun ? "" : `${COLUMNS.join(",")}\n`;
    isBegun = true;
    await writeText(stream, header + rows.map(encode).join(""));
  };
  return {
    write: put,
    end: async () => {
      await put([]);
      if (path === undefined) return;
      stream.end();
      await finished(stream);
    },
  };
}

function writeText(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => stream.write(text, (error) => error ? reject(error) : resolve()));
}

/** Always `2026-01-02T10:00:00Z`: readers take a column of one format for times, and mixed ones for text. */
function formatTime(ts: number): string {
  return new Date(ts).toISOString().replace(".000Z", "Z");
}

function encodeCsv(row: Row): string {
  const { canonical_symbol, timeframe, ts, open, high, low, close, vol, vwap, trade_count, is_partial, quality_score } =
    row;
  // Only a symbol may hold what has to be quoted.
  const symbol = /[",\r\n]/.test(canonical_symbol) ? stringify([[canonical_symbol]]).trimEnd() : canonical_symbol;
  return `${symbol},${timeframe},${formatTime(ts)},${open},${high},${low},${close},${vol ?? ""},${vwap ?? ""},` +
    `${trade_count ?? ""},${is_partial},${quality_score ?? ""}\n`;
}

function encodeJson({ ts, trade_count, ...row }: Row): string {
  const { canonical_symbol, timeframe, open, high, low, close, vol, vwap, is_partial, quality_score } = row;
  const text = JSON.stringify({
    ...{ canonical_symbol, timeframe, ts_utc: formatTime(ts), open, high, low, close, vol, vwap },
    ...{ trade_count: null, is_partial, quality_score },
  });
  // A bigint, digit by digit.
  return `${trade_count === null ? text : text.replace('"trade_count":null', `"trade_count":${trade_count}`)}\n`;
}
