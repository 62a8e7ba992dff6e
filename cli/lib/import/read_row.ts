import { type Bar, MINUTE } from "./bar.ts";
import { type Field, FIELDS } from "./formats.ts";
import { type Layout, timeText } from "./layout.ts";
import type { Row } from "./row.ts";
import { timeReader } from "./time.ts";
import { readZone, type Zone } from "./zone.ts";

/** Why a row is not a bar: a word to count it under, and a sentence for people. */
export class RowProblem extends Error {
  override readonly name = "RowProblem";
  readonly reason: string;
  /** It is no fault of the row: the minute has no bar. */
  readonly isExpected: boolean;

  constructor(reason: string, message: string, isExpected = false) {
    super(message);
    this.reason = reason;
    this.isExpected = isExpected;
  }
}

const PRICES = ["open", "high", "low", "close"] as const;
/** As the checks of data_bars have them. */
const LARGEST = 1e50;
const SMALLEST = 1e-50;
const MOST_TRADES = 1e12;

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const isUnknown = (text: string) => text === "" || text === "null" || text === "NULL";

/** Makes the function that reads the rows of a file. It throws a {@link RowProblem} for a row that is not a bar. */
export function rowReader(layout: Layout, now: number): (row: Row) => Bar {
  const { format, columns, places, decimalComma } = layout;
  const readInstant = instantReader(layout, now);
  const placeOf = (name: string | undefined) => columns.findIndex((column) => column.toLowerCase() === name);
  const only = Object.entries(format.only ?? {}).map(([name, value]) => [placeOf(name), value] as const);
  const one = placeOf(format.one);
  const weighted = placeOf(format.vwapFrom?.column);
  const end = placeOf(format.end);
  const readEnd = timeReader();
  let theOne: string | undefined;
  let firstSymbol: string | undefined;

  const place = Object.fromEntries(FIELDS.map((field) => [field, places.get(field) ?? -1])) as Record<Field, number>;
  const text = (row: Row, field: Field) => place[field] < 0 ? "" : row.text(place[field]);
  /** The number that a field plainly is; NaN where it has to be looked at as text. */
  const plain = (row: Row, field: Field) => place[field] < 0 || decimalComma ? NaN : row.number(place[field]);
  const number = (name: string, text: string, exponent = 0) => {
    const pointed = decimalComma ? text.replace(",", ".") : text;
    if (!NUMBER.test(pointed) || (decimalComma && text.includes("."))) throw notANumber(name, text, decimalComma);
    // Moving the point in the text is exact, where a product is not.
    const value = exponent === 0 ? Number(pointed) : Number(`${pointed}e${exponent}`);
    if (Math.abs(value) < LARGEST) return value;
    throw new RowProblem("not finite", `${name} ${text} is too large for a number`);
  };
  const price = (row: Row, name: typeof PRICES[number]) => {
    const known = format.priceExponent === undefined ? plain(row, name) : NaN;
    if (!Number.isNaN(known)) return known;
    const value = text(row, name);
    if (isUnknown(value)) {
      throw new RowProblem("missing field", `${name} is empty: every bar needs open, high, low and close`);
    }
    const exponent = format.priceExponent !== undefined && !value.includes(".") ? format.priceExponent : 0;
    return number(name, value, exponent);
  };
  const volume = (row: Row) => {
    const known = format.volExponent === undefined ? plain(row, "vol") : NaN;
    if (known >= 0) return known;
    const value = text(row, "vol");
    if (isUnknown(value)) return null;
    const vol = number("vol", value, format.volExponent);
    if (vol < 0) {
      throw new RowProblem("negative volume", `vol ${value} is negative: leave it empty where it is unknown`);
    }
    if (vol !== 0 && vol < SMALLEST) throw new RowProblem("not a number", `vol ${value} is too small for a number`);
    return vol;
  };
  const weightedPrice = (row: Row, vol: number | null, low: number, high: number, symbol: string) => {
    if (weighted < 0) {
      const known = plain(row, "vwap");
      if (!Number.isNaN(known)) return known;
      const value = text(row, "vwap");
      return isUnknown(value) ? null : number("vwap", value);
    }
    if (vol === null || vol === 0 || format.vwapFrom!.contracts.test(symbol)) return null;
    const vwap = number(columns[weighted]!, row.text(weighted)) / vol;
    // A quotient that is no price of the bar is not one of these columns.
    return vwap >= low - 1e-6 * Math.abs(low) && vwap <= high + 1e-6 * Math.abs(high) ? vwap : null;
  };
  const trades = (row: Row) => {
    const known = plain(row, "trade_count");
    if (known >= 0 && known <= MOST_TRADES && Number.isInteger(known)) return known;
    const value = text(row, "trade_count");
    if (isUnknown(value)) return null;
    const count = number("trade_count", value);
    if (count < 0) throw new RowProblem("negative trade count", `trade_count ${value} is negative`);
    if (Number.isInteger(count) && count <= MOST_TRADES) return count;
    throw new RowProblem("not a number", `trade_count ${value} is not a whole number up to ${MOST_TRADES}`);
  };
  const symbolOf = (row: Row) => {
    if (!places.has("canonical_symbol")) return layout.symbol!;
    const symbol = text(row, "canonical_symbol");
    if (layout.symbol !== undefined) {
      firstSymbol ??= symbol;
      if (symbol === firstSymbol) return layout.symbol;
      throw new RowProblem(
        "other symbol",
        `${symbol} is not ${firstSymbol}, which --symbol ${layout.symbol} stands for`,
      );
    }
    if (symbol === "") throw new RowProblem("missing field", "canonical_symbol is empty: every bar needs its symbol");
    // deno-lint-ignore no-control-regex
    if (symbol.length > 200 || /[\x00-\x1f\x7f]/.test(symbol)) {
      throw new RowProblem("bad symbol", "canonical_symbol must have at most 200 characters and no control characters");
    }
    return symbol;
  };

  return (row) => {
    if (row.length !== columns.length) {
      const reason = row.length < columns.length ? "missing columns" : "extra columns";
      throw new RowProblem(reason, `${row.length} ${row.length === 1 ? "field" : "fields"}, not ${columns.length}`);
    }
    const timeframe = place.timeframe < 0 ? "" : text(row, "timeframe");
    if (timeframe !== "" && timeframe !== "1m") {
      throw new RowProblem("longer bar", `timeframe is ${timeframe}: pgbars makes bars longer than 1m itself`);
    }
    for (const [place, value] of only) {
      if (place < 0 || row.text(place) === value) continue;
      throw new RowProblem("longer bar", `${columns[place]} is ${row.text(place)}, and ${value} for 1m bars`);
    }
    if (one >= 0) {
      theOne ??= row.text(one);
      if (row.text(one) !== theOne) {
        throw new RowProblem(
          "other publisher",
          `${columns[one]} is ${row.text(one)}, and ${theOne} before: import one at a time`,
        );
      }
    }
    if (
      Number.isNaN(plain(row, "open")) && isUnknown(text(row, "open")) &&
      PRICES.every((name) => isUnknown(text(row, name)))
    ) {
      throw new RowProblem("no prices", "the minute has no prices", true);
    }
    const symbol = symbolOf(row);
    const ts = readInstant(row);
    const open = price(row, "open");
    const close = price(row, "close");
    let high = price(row, "high");
    let low = price(row, "low");
    if (high < low || high < open || high < close || low > open || low > close) {
      const wide = { high: Math.max(high, open, close), low: Math.min(low, open, close) };
      const isRounding = wide.high - high <= 1e-9 * Math.abs(high) && low - wide.low <= 1e-9 * Math.abs(low);
      if (!isRounding || !layout.clamp) throw contradiction({ open, high, low, close }, isRounding);
      ({ high, low } = wide);
    }
    const vol = volume(row);
    if (format.fillsClosedMinutes && vol === 0 && high === low) {
      throw new RowProblem("flat", "four equal prices without volume: the market was closed", true);
    }
    if (end >= 0) {
      const length = readEnd(row.text(end)).milliseconds + layout.shift - ts;
      if (length < MINUTE - 1 || length > MINUTE) {
        throw new RowProblem(
          "longer bar",
          `it ends ${Math.round(length / 1000)} seconds after its start: 1m bars are taken`,
        );
      }
    }
    const vwap = weightedPrice(row, vol, low, high, symbol);
    const bar: Bar = { symbol, ts, open, high, low, close, vol, vwap, tradeCount: trades(row) };
    if (place.is_partial < 0) return bar;
    const partial = text(row, "is_partial");
    if (partial === "" || partial === "false" || partial === "f") return bar;
    if (partial !== "true" && partial !== "t") {
      throw new RowProblem("not a number", `is_partial ${partial} must be true or false`);
    }
    return { ...bar, isPartial: true };
  };
}

function instantReader(layout: Layout, now: number): (row: Row) => number {
  const { zone, shift, dateOrder } = layout;
  const textOf = timeText(layout);
  const readTime = timeReader(dateOrder);
  const named = new Map<string, Zone>();
  const toUtc = (text: string, { name }: { name: string }, wall: number) => {
    try {
      const zone = named.get(name) ?? readZone(name);
      named.set(name, zone);
      return zone.toUtc(wall);
    } catch (error) {
      throw new RowProblem("unreadable time", `the time ${text} has a bad zone: ${(error as Error).message}`);
    }
  };
  return (row) => {
    const text = textOf((place) => row.text(place));
    if (text === "") throw new RowProblem("missing field", "the time is empty: write it as 2025-01-31T09:59:00Z");
    let time;
    try {
      time = readTime(text);
    } catch (error) {
      throw new RowProblem("unreadable time", `the time ${JSON.stringify(text)} ${(error as Error).message}`);
    }
    if (time.isDay) {
      throw new RowProblem("longer bar", `the time ${text} is a day: pgbars makes bars longer than 1m itself`);
    }
    let instant: number | "twice" | "never" = time.milliseconds;
    if (typeof time.zone === "object") instant = toUtc(text, time.zone, time.milliseconds);
    else if (time.zone === "wall") {
      if (zone === undefined) {
        throw new RowProblem(
          "time without zone",
          `the time ${text} has no zone, as the others have: add it, such as Z for UTC`,
        );
      }
      instant = zone.toUtc(time.milliseconds);
    }
    if (instant === "twice") {
      throw new RowProblem(
        "time that came twice",
        `the time ${text} came twice, since the clock was set back: give it in UTC`,
      );
    }
    if (instant === "never") {
      throw new RowProblem(
        "time that never was",
        `the time ${text} never was, since the clock was set forward: check --zone`,
      );
    }
    const ts = instant + shift;
    if (ts % MINUTE !== 0) throw new RowProblem("misaligned time", `the time ${text} is not the start of a minute`);
    if (ts + MINUTE > now) {
      throw new RowProblem("time in the future", `the minute ${text} has not ended: check the year and the zone`);
    }
    if (ts < EARLIEST) throw new RowProblem("unreadable time", `the time ${text} is before 1900`);
    return ts;
  };
}

const EARLIEST = Date.UTC(1900, 0, 1);

function notANumber(name: string, text: string, decimalComma: boolean): RowProblem {
  if (/^[+-]?(nan|inf(inity)?)$/i.test(text)) {
    return new RowProblem("not finite", `${name} is ${text}: give a finite number, or leave the row out`);
  }
  const example = decimalComma ? "1234,5, as the prices of the file are" : "1234.5";
  return new RowProblem("not a number", `${name} ${JSON.stringify(text)} is not a number: write it as ${example}`);
}

function contradiction(prices: Record<typeof PRICES[number], number>, isRounding: boolean): RowProblem {
  const { open, high, low, close } = prices;
  const top = open > close ? "open" : "close";
  const bottom = open < close ? "open" : "close";
  const text = high < low
    ? `high ${high} is below low ${low}`
    : high < prices[top]
    ? `high ${high} is below ${top} ${prices[top]}`
    : `low ${low} is above ${bottom} ${prices[bottom]}`;
  return isRounding
    ? new RowProblem("rounding", `${text} by rounding alone: --clamp widens high and low`)
    : new RowProblem("prices contradict each other", `${text}: check the columns`);
}
