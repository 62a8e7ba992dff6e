import { createReadStream } from "node:fs";
import { constants, createGunzip } from "node:zlib";
import { basename, join } from "node:path";
import { PassThrough, pipeline, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { parse } from "csv-parse";
import type { Bar } from "./bar.ts";
import { barRow, reasonOf, type RowFields } from "./bar_row.ts";
import { type CsvColumn, csvColumns, readHeader } from "./csv_header.ts";
import type { Problems } from "./problems.ts";
import { describeError } from "../../cli/lib/error.ts";

/** What a run of {@link readBars} wants to hear of. */
export interface CsvOptions {
  problems: Problems;
  /** Symbols that the database computes itself: their rows are refused. */
  synthetic: ReadonlySet<string>;
  /** Called for something worth saying that is not a failure, one line for people. */
  onNotice: (message: string) => void;
  /** Called with the number of bytes just read from a file. */
  onBytes?: (bytes: number) => void;
}

/** The bar files of a folder, `*.csv` and `*.csv.gz`, by name. Throws when the folder is missing or holds none. */
export async function listCsvFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (!entry.isDirectory && /\.csv(\.gz)?$/i.test(entry.name)) files.push(join(folder, entry.name));
    }
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory)) throw cause;
    const problem = cause instanceof Deno.errors.NotFound ? "there is no such folder" : "it is not a folder";
    throw new Error(`--data ${folder}: ${problem}`, { cause });
  }
  if (files.length === 0) throw new Error(`--data ${folder}: the folder has no .csv or .csv.gz file`);
  return files.sort();
}

/**
 * Reads the good bars of `files`, one after the other, in the order of their rows. Rows and files that are not good
 * go to `problems` and are left out; reading goes on. Of two rows for one symbol and minute the first counts.
 */
export async function* readBars(files: readonly string[], options: CsvOptions): AsyncGenerator<Bar> {
  const seen = new Map<string, Set<number>>();
  for (const path of files) {
    try {
      yield* readFile(path, seen, options);
    } catch (cause) {
      const reason = describeError(cause);
      options.problems.fail(`${basename(path)}: ${describeReadError(reason)}`);
    }
  }
}

async function* readFile(path: string, seen: Map<string, Set<number>>, options: CsvOptions): AsyncGenerator<Bar> {
  const file = basename(path);
  const damage = path.toLowerCase().endsWith(".gz") ? await findGzipDamage(path) : undefined;
  let columns: Columns | undefined;
  for await (const { record, info } of openRecords(path, damage !== undefined, options)) {
    if (columns === undefined) {
      columns = findColumns(file, record, options);
      if (columns === undefined) return;
      continue;
    }
    const origin = { file, line: info.lines };
    const refuse = (reason: string, message: string) => options.problems.refuseRow({ origin, reason, message });
    if (record.length !== columns.count) {
      refuse(
        record.length < columns.count ? "missing columns" : "extra columns",
        `${record.length} ${record.length === 1 ? "field" : "fields"} where the header has ${columns.count}`,
      );
      continue;
    }
    const row = barRow.safeParse(columns.pick(record));
    if (!row.success) {
      refuse(reasonOf(row.error.issues[0]!), row.error.issues.map((issue) => issue.message).join("; "));
      continue;
    }
    const { canonical_symbol: symbol, ts_utc: ts, trade_count: tradeCount, ...values } = row.data;
    if (options.synthetic.has(symbol)) {
      refuse("computed series", `${symbol} is computed from other symbols and cannot be loaded: leave its rows out`);
      continue;
    }
    const minutes = seen.get(symbol) ?? new Set();
    seen.set(symbol, minutes);
    if (minutes.has(ts)) {
      refuse("duplicate", `${symbol} ${new Date(ts).toISOString()} was in an earlier row, which counts`);
      continue;
    }
    minutes.add(ts);
    yield { symbol, ts, ...values, tradeCount, origin };
  }
  if (damage !== undefined) throw damage;
  if (columns === undefined) throw new Error("the file is empty: it needs a header");
}

interface CsvRecord {
  record: string[];
  info: { lines: number };
}

/** Reads a gzip file to its end without using it, and returns what is wrong with it. */
async function findGzipDamage(path: string): Promise<Error | undefined> {
  const unzip = createGunzip();
  pipeline(createReadStream(path), unzip, new Writable({ write: (_chunk, _encoding, next) => next() }), () => {});
  try {
    await finished(unzip);
  } catch (error) {
    return error as Error;
  }
}

async function* openRecords(path: string, isDamaged: boolean, options: CsvOptions): AsyncGenerator<CsvRecord> {
  const source = createReadStream(path);
  source.on("data", (chunk) => options.onBytes?.(chunk.length));
  const parser = parse({
    bom: true,
    info: true,
    // No field of a bar may hold a comma or a line break, so a line is a row and a stray quote spoils no other.
    quote: null,
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: 64 * 1024,
  });
  // Z_SYNC_FLUSH gives all that a cut-off file holds, where the default drops what is still buffered.
  const text = path.toLowerCase().endsWith(".gz")
    ? createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
    : new PassThrough();
  let endsWithLine = true;
  text.on("data", (chunk: Uint8Array) => endsWithLine = chunk.at(-1) === 10);
  // The parser hands the error to its reader; without a callback it would be thrown here too.
  pipeline(source, text, parser, () => {});

  let held: CsvRecord | undefined;
  for await (const record of parser as AsyncIterable<CsvRecord>) {
    if (held !== undefined) yield held;
    held = record;
  }
  // The last line of a cut-off file may end in the middle of a number.
  if (held !== undefined && (endsWithLine || !isDamaged)) yield held;
}

/** Finds the columns of a bar file; undefined, and a notice, when the file is something else. */
function findColumns(file: string, record: string[], options: CsvOptions): Columns | undefined {
  const names = record.map(unquote);
  const places = readHeader(names);
  if (places === undefined) {
    options.onNotice(`${file} is left out: it has none of the columns open, high, low, close`);
    return undefined;
  }
  const used = new Set(places.values());
  const unused = names.filter((_, index) => !used.has(index));
  if (unused.length > 0) options.onNotice(`${file}: columns not used: ${unused.join(", ")}`);

  const symbol = symbolOf(file);
  return {
    count: names.length,
    pick: (fields) => {
      const field = (name: CsvColumn) => unquote(fields[places.get(name) ?? -1] ?? "");
      const row = Object.fromEntries(csvColumns.map((name) => [name, field(name)])) as RowFields;
      return places.has("canonical_symbol") ? row : { ...row, canonical_symbol: symbol };
    },
  };
}

interface Columns {
  count: number;
  pick(record: string[]): RowFields;
}

/** The symbol a file is named after: `GBPUSD_1m.csv.gz` and `GBPUSD.csv` are GBPUSD. */
export function symbolOf(file: string): string {
  return basename(file).replace(/\.csv(\.gz)?$/i, "").replace(/_1m$/i, "");
}

function unquote(field: string): string {
  return field.trim().replace(/^"(.*)"$/, "$1").trim();
}

function describeReadError(reason: string): string {
  if (/unexpected end of file/i.test(reason)) {
    return "the compressed file is cut off; the rows before the cut went in. Fetch it again";
  }
  if (/incorrect header check/i.test(reason)) return "it is named .gz but is not gzip: rename or compress it";
  return reason;
}
