import { parse } from "csv-parse/sync";
import { MINUTE } from "./bar.ts";
import { type ColumnMap, findColumns } from "./columns.ts";
import { readFileName, stem } from "./file_name.ts";
import { type Field, type Format, FORMATS } from "./formats.ts";
import { type DateOrder, type FileTime, readTime } from "./time.ts";
import { readZone, type Zone } from "./zone.ts";

/** What the user says of the files. */
export interface ReadOptions {
  format?: Format | undefined;
  symbol?: string | undefined;
  zone?: Zone | undefined;
  /** Milliseconds to add to every time. */
  shift?: number | undefined;
  map?: ColumnMap | undefined;
  dateOrder?: DateOrder | undefined;
  /** Widens high and low to cover open and close where these lie outside by rounding. */
  clamp?: boolean | undefined;
}

/** What was understood of a file. */
export interface Layout {
  format: Format;
  separator: string;
  decimalComma: boolean;
  hasHeader: boolean;
  columns: readonly string[];
  places: ReadonlyMap<Field, number>;
  /** Columns that are not used. */
  unused: readonly string[];
  /** The symbol of all rows; undefined where a column has it. */
  symbol: string | undefined;
  /** The clock of times without a zone; undefined where it is not known and times have one. */
  zone: Zone | undefined;
  shift: number;
  dateOrder: DateOrder | undefined;
  clamp: boolean;
  /** Digits of a time of day in a column of its own without colons, whose leading zeros may be gone. */
  clockDigits: number;
  /** What else there is to know, a sentence each. */
  hints: readonly string[];
}

/** How many of its first lines tell what a file is. */
export const SAMPLE = 200;

/**
 * Finds out what a file is, by its name and its first lines. Throws a NotBars for something other than bars, and an Error that
 * says what to give or change where that cannot be told: nothing is guessed.
 */
export function findLayout(file: string, sample: readonly string[], options: ReadOptions): Layout {
  const [first] = sample;
  if (first === undefined) throw new Error("the file is empty");
  if (/^\s*([{[]|<(!doctype|html|\?xml))/i.test(first)) {
    throw new Error("it is JSON or HTML: save it as CSV. Of JSON, an answer of the chart API of Yahoo is read");
  }
  const separator = ["\t", ";", "|"].find((one) => first.includes(one)) ?? ",";
  const top = splitLine(first, separator).map((field) => field.trim());
  // A plotted column may be named by a number.
  const hasHeader = top.filter(looksLikeValue).length * 2 < top.length;
  const format = options.format ?? recognise(file, first, hasHeader ? top : undefined);
  if (!hasHeader && format?.columns === undefined) {
    throw new Error(
      "the file has no header, and no format without one has such rows: put the names of its columns first, as in " +
        "ts_utc,open,high,low,close,vol",
    );
  }
  if (format === undefined) throw new Error("unreachable: CSV has every header");
  if (hasHeader && sample[1] !== undefined && !splitLine(sample[1], separator).some(looksLikeValue)) {
    throw new Error("it has several lines before its rows: leave one, with the names of the columns");
  }
  const columns = hasHeader ? top : format.columns!;
  if (!hasHeader && top.length !== columns.length) {
    throw new Error(`its first row has ${top.length} columns, where ${format.name} has ${columns.length}`);
  }

  const hints = format.hint === undefined ? [] : [format.hint];
  const rows = sample.slice(hasHeader ? 1 : 0).map((line) => splitLine(line, separator, columns.length));
  const { places, unused } = findColumns(
    columns,
    chooseVolume(format, columns, rows, options, hints),
    options.symbol !== undefined,
  );
  const named = format.file?.exec(stem(file))?.groups;
  const name = readFileName(file);
  const symbol = options.symbol ??
    (places.has("canonical_symbol") ? undefined : named?.["symbol"]?.toUpperCase() ?? name.symbol);
  if (symbol === "") throw new Error("neither a column nor the name of the file says the symbol: give --symbol");
  const timeframe = named?.["minutes"] ?? name.timeframe;
  if (timeframe !== undefined && timeframe !== "1" && timeframe !== "1m") {
    throw new Error(
      `its name says that its bars are of ${timeframe}: pgbars takes 1m bars and makes the longer ones itself. If each row ` +
        "is a minute, let the name of the file end in _1m",
    );
  }

  const layout: Layout = {
    ...{ format, separator, hasHeader, columns, places, unused, symbol, hints },
    decimalComma: hasDecimalComma(rows, places),
    zone: undefined,
    shift: options.shift ?? 0,
    dateOrder: options.dateOrder,
    clamp: options.clamp ?? false,
    clockDigits: clockDigits(rows, places),
  };
  const times = rows.map((row) => tryTime(layout, row));
  layout.zone = findZone(format, hasHeader && !hasItsHeader(format, columns) ? undefined : format.zone, times, options);
  if (timeframe === undefined) refuseLongBars(layout, rows, times);
  return layout;
}

/** The fields of a line. Of quoted fields that hold separators there are few: csv-parse takes ten times as long for all. */
export function splitLine(line: string, separator: string, count?: number): string[] {
  const fields = line.split(separator);
  if (!line.includes('"')) return fields;
  if (fields.length !== count) {
    try {
      return parse(line, { delimiter: separator, relax_column_count: true, trim: true, bom: true })[0] ?? [];
    } catch {
      // A stray quote. The fields say what is wrong with them.
    }
  }
  return fields.map((field) => field.trim().replace(/^"(.*)"$/, (_, text) => text.replaceAll('""', '"')).trim());
}

/** Makes the function that gives the text of the time of a row, whose fields `field` gives. */
export function timeText({ places, clockDigits }: Layout): (field: (place: number) => string) => string {
  const whole = places.get("ts_utc");
  if (whole !== undefined) return (field) => field(whole);
  const [date, time] = [places.get("date")!, places.get("time")!];
  return (field) => {
    const clock = field(time);
    return `${field(date)} ${/^\d+$/.test(clock) ? clock.padStart(clockDigits, "0") : clock}`;
  };
}

function recognise(file: string, line: string, header: readonly string[] | undefined): Format | undefined {
  return FORMATS.find((format) => {
    if (format.line === undefined && format.header === undefined) return format.file?.test(stem(file)) ?? false;
    if (format.line?.test(line)) return true;
    return header !== undefined && format.header !== undefined && hasItsHeader(format, header);
  });
}

function hasItsHeader({ header = [] }: Format, columns: readonly string[]): boolean {
  const names = columns.map((name) => name.toLowerCase());
  return header.every((name) => names.includes(name));
}

/** Adds to the map of the user which column is the volume, where a format has two. */
function chooseVolume(
  { volOtherwise }: Format,
  columns: readonly string[],
  rows: readonly string[][],
  { map = new Map() }: ReadOptions,
  hints: string[],
): ColumnMap {
  if (volOtherwise === undefined || [...map.values()].includes("vol")) return map;
  const find = (name: string) => columns.findIndex((column) => column.toLowerCase() === name);
  const [place, other] = [find(volOtherwise.column), find(volOtherwise.instead)];
  if (other < 0) return map;
  const whole = rows.filter((row) => row.length === columns.length);
  const isEmpty = place < 0 || whole.every((row) => Number(row[place]) === 0);
  const [taken, left] = isEmpty ? [other, place] : [place, other];
  hints.push(
    `vol is ${columns[taken]}, since ${volOtherwise.column} is ${
      isEmpty ? "0" : "not 0"
    }; --map "COLUMN=vol" takes another`,
  );
  return new Map([...map, [columns[taken]!, "vol"], ...left < 0 ? [] : [[columns[left]!, "none"] as const]]);
}

/** A field of a row, not the name of a column. */
function looksLikeValue(field: string): boolean {
  return /^[-+.]?\d[-+.,:/\dTZ ]*$/.test(field);
}

/** Prices say which mark is used; a volume such as 1,234 does not. */
function hasDecimalComma(rows: readonly string[][], places: ReadonlyMap<Field, number>): boolean {
  const prices = rows.flatMap((row) =>
    (["open", "high", "low", "close"] as const).map((name) => row[places.get(name)!] ?? "")
  );
  return prices.some((price) => /^[-+]?\d+,\d+$/.test(price.trim()));
}

function clockDigits(rows: readonly string[][], places: ReadonlyMap<Field, number>): number {
  const place = places.get("time");
  const widths = place === undefined
    ? []
    : rows.map((row) => row[place]?.trim() ?? "").filter((text) => /^\d+$/.test(text));
  if (widths.every((text) => text.length === 4)) return 4;
  if (!widths.some((text) => text.length === 5 || text.length === 6)) {
    throw new Error("its times of day may be HHMM or HHMMSS without leading zeros: write them with colons");
  }
  return 6;
}

/** The time of a row, undefined where it cannot be read. Throws where an option has to say how. */
function tryTime(layout: Layout, row: readonly string[]): FileTime | undefined {
  if (row.length !== layout.columns.length) return undefined;
  const text = timeText(layout)((place) => row[place]!.trim());
  try {
    return readTime(text, layout.dateOrder);
  } catch (error) {
    if (error instanceof Error && error.message.includes("--date-order")) {
      throw new Error(`its time ${text} ${error.message}`);
    }
    return undefined;
  }
}

function findZone(
  format: Format,
  usual: string | undefined,
  times: readonly (FileTime | undefined)[],
  { zone, shift }: ReadOptions,
): Zone | undefined {
  const first = times.find((time) => time !== undefined);
  if (first?.isDay) {
    throw new Error("its times are days: pgbars takes 1m bars and makes the longer ones itself");
  }
  const questions: string[] = [];
  if (first?.zone === "wall" && zone === undefined && usual === undefined) {
    const other = { mt4: "histdata-mt", ninjatrader: "histdata" }[format.name];
    questions.push(
      "its times have no zone: give --zone, such as UTC, America/New_York, -05:00, or NewYork+7 for many MetaTrader servers" +
        (other === undefined ? "" : `; or --format ${other} for a file of HistData`),
    );
  }
  if (format.asksShift && shift === undefined) {
    questions.push(
      `${format.about} does not say whether a time is the start or the end of its minute: give --shift 0 for the start, ` +
        "--shift -1m for the end",
    );
  }
  if (questions.length > 0) throw new Error(questions.join("; "));
  return zone ?? (usual === undefined ? undefined : readZone(usual));
}

/** Throws where the first rows are further apart than a minute, all of them. */
function refuseLongBars(layout: Layout, rows: readonly string[][], times: readonly (FileTime | undefined)[]): void {
  const place = layout.places.get("canonical_symbol");
  const last = new Map<string, number>();
  const gaps: number[] = [];
  for (const [index, time] of times.entries()) {
    if (time === undefined) continue;
    const symbol = place === undefined ? "" : rows[index]![place]!;
    const before = last.get(symbol);
    if (before !== undefined && before !== time.milliseconds) gaps.push(Math.abs(time.milliseconds - before));
    last.set(symbol, time.milliseconds);
  }
  const shortest = gaps.reduce((least, gap) => Math.min(least, gap), Infinity);
  const instants = new Set(times.map((time) => time?.milliseconds));
  const isSnapshot = layout.format.name === "massive" && last.size > 20 && instants.size === 1;
  if (isSnapshot || (gaps.length >= 10 && shortest > MINUTE)) {
    const apart = isSnapshot ? "at one time for all symbols" : `at least ${shortest / MINUTE} minutes apart`;
    throw new Error(
      `its first rows are ${apart}: pgbars takes 1m bars and makes the longer ones itself. If each row is a minute, let the ` +
        "name of the file end in _1m",
    );
  }
}
