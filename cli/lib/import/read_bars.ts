import { basename } from "node:path";
import { describeError } from "../error.ts";
import { type Bar, formatMinute, type Origin } from "./bar.ts";
import { NotBars } from "./columns.ts";
import { YAHOO_JSON } from "./formats.ts";
import { findLayout, type Layout, type ReadOptions, SAMPLE } from "./layout.ts";
import { RowProblem, rowReader } from "./read_row.ts";
import { Row } from "./row.ts";
import { SeenMinutes } from "./seen_minutes.ts";
import { openTextFiles, type TextFile } from "./text_files.ts";
import { chartLines, isChart } from "./yahoo_chart.ts";

/** A row that is not a bar. */
export interface RefusedRow {
  origin: Origin;
  /** The word it is counted under, e.g. `duplicate`. */
  reason: string;
  /** What is wrong and what to do, for people. */
  message: string;
  /** The row as it stands in the file; absent for one that the database refuses. */
  text?: string;
}

/** What a run of {@link readBars} wants to hear of. */
export interface ReadHandlers {
  /** A file was understood. */
  onLayout?(file: string, layout: Layout): void;
  onRefused(row: RefusedRow): void;
  /** A row that is no bar and no fault, such as one of a closed market. */
  onSkipped?(file: string, reason: string): void;
  /** A file could not be read, or not to its end. `isOther` says that it holds something other than bars. */
  onFailure(file: string, problem: string, isOther: boolean): void;
  /** Bytes of a file that were just read. */
  onBytes?(bytes: number): void;
}

/**
 * Reads the bars of files, one after the other, in the order of their rows, in parts. Rows and files that are not good are
 * handed over and left out; reading goes on. Of two rows of a file for one symbol and minute the first counts. Memory stays
 * bounded whatever the size of the files. `computed` has the symbols that the database computes itself.
 */
export async function* readBars(
  files: readonly string[],
  options: ReadOptions,
  computed: ReadonlySet<string>,
  handlers: ReadHandlers,
): AsyncGenerator<Bar[]> {
  const onBytes = (bytes: number) => handlers.onBytes?.(bytes);
  for (const path of files) {
    let name = basename(path);
    try {
      for await (const text of openTextFiles(path, onBytes)) {
        name = text.name;
        try {
          yield* readTextFile(text, options, computed, handlers);
        } catch (error) {
          handlers.onFailure(name, describeReadError(error), error instanceof NotBars);
        }
      }
    } catch (error) {
      handlers.onFailure(name, describeReadError(error), false);
    }
  }
}

async function* readTextFile(
  { name, lines }: TextFile,
  options: ReadOptions,
  computed: ReadonlySet<string>,
  handlers: ReadHandlers,
): AsyncGenerator<Bar[]> {
  let read: ((lines: readonly string[]) => Bar[]) | undefined;
  let waiting: string[] = [];
  const begin = (format = options.format) => {
    const sample = waiting.filter((line) => line.trim() !== "").slice(0, SAMPLE);
    const layout = findLayout(name, sample, { ...options, format });
    handlers.onLayout?.(name, layout);
    return partReader(name, layout, computed, handlers);
  };
  for await (const part of lines) {
    if (read !== undefined) {
      yield read(part);
      continue;
    }
    waiting = [...waiting, ...part];
    // Blank lines do not count, but there are few of them.
    if (waiting.length <= SAMPLE || isChart(waiting)) continue;
    read = begin();
    yield read(waiting);
  }
  if (read !== undefined) return;
  const format = isChart(waiting) ? options.format ?? YAHOO_JSON : undefined;
  if (format !== undefined) waiting = chartLines(waiting.join("\n"));
  yield begin(format)(waiting);
}

/** Makes the function that reads the bars of the next lines of a file. */
function partReader(
  file: string,
  layout: Layout,
  computed: ReadonlySet<string>,
  handlers: ReadHandlers,
): (lines: readonly string[]) => Bar[] {
  const readRow = rowReader(layout, Date.now());
  const row = new Row(layout.separator, layout.columns.length);
  const seen = new SeenMinutes();
  let number = 0;
  let isHeaderAhead = layout.hasHeader;
  return (lines) => {
    const bars: Bar[] = [];
    for (const line of lines) {
      number++;
      if (line === "" || line.trim() === "") continue;
      if (isHeaderAhead) {
        isHeaderAhead = false;
        continue;
      }
      try {
        row.read(line);
        const bar = readRow(row);
        if (computed.has(bar.symbol)) {
          throw new RowProblem("computed series", `${bar.symbol} is computed from other symbols: leave its rows out`);
        }
        if (seen.add(bar.symbol, bar.ts)) {
          throw new RowProblem(
            "duplicate",
            `${bar.symbol} ${formatMinute(bar.ts)} was in an earlier row, which counts`,
          );
        }
        bar.origin = { file, line: number };
        bars.push(bar);
      } catch (error) {
        if (!(error instanceof RowProblem)) throw error;
        const { reason, message, isExpected } = error;
        if (isExpected) handlers.onSkipped?.(file, reason);
        else handlers.onRefused({ origin: { file, line: number }, reason, message, text: line });
      }
    }
    return bars;
  };
}

function describeReadError(error: unknown): string {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder: name its files";
  const reason = describeError(error);
  if (/unexpected end of file/i.test(reason)) {
    return "the compressed file is cut off; rows before the cut were read. Fetch it again";
  }
  return reason;
}
