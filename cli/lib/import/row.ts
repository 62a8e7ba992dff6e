import { splitLine } from "./layout.ts";

const DIGIT_0 = 48;
const MINUS = 45;
const POINT = 46;
/** Powers of ten that a number of JavaScript holds exactly, as it does whole numbers of fifteen digits. */
const MOST_DIGITS = 15;
const POWERS = Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** The fields of a line. It makes no text of a field that is a number: that would take a third of the time of an import. */
export class Row {
  /** How many fields the line has. */
  length = 0;
  readonly #separator: string;
  readonly #code: number;
  readonly #count: number;
  #line = "";
  /** Field n lies between end n, which is -1 for the first, and end n + 1. */
  readonly #ends: number[] = [-1];
  /** The fields of a line with quotes. */
  #quoted: readonly string[] | undefined;

  /** `count` is how many fields a line should have. */
  constructor(separator: string, count: number) {
    this.#separator = separator;
    this.#code = separator.charCodeAt(0);
    this.#count = count;
  }

  /** Takes the next line. */
  read(line: string): void {
    this.#quoted = line.includes('"') ? splitLine(line, this.#separator, this.#count) : undefined;
    if (this.#quoted !== undefined) {
      this.length = this.#quoted.length;
      return;
    }
    this.#line = line;
    const [ends, separator, end] = [this.#ends, this.#code, line.length];
    let count = 0;
    for (let at = 0; at < end; at++) {
      if (line.charCodeAt(at) === separator) ends[++count] = at;
    }
    ends[++count] = end;
    this.length = count;
  }

  /** A field, without spaces around it. */
  text(place: number): string {
    return (this.#quoted?.[place] ?? this.#line.slice(this.#ends[place]! + 1, this.#ends[place + 1]!)).trim();
  }

  /** A field that is a number of up to fifteen digits with a decimal point, and NaN where it is anything else. */
  number(place: number): number {
    if (this.#quoted !== undefined) return NaN;
    const line = this.#line;
    const end = this.#ends[place + 1]!;
    let at = this.#ends[place]! + 1;
    const isNegative = line.charCodeAt(at) === MINUS;
    if (isNegative) at++;
    const begin = at;
    let whole = 0;
    let point = -1;
    for (; at < end; at++) {
      const code = line.charCodeAt(at);
      const digit = code - DIGIT_0;
      if (digit >= 0 && digit <= 9) whole = whole * 10 + digit;
      else if (code === POINT && point < 0) point = at;
      else return NaN;
    }
    const digits = end - begin - (point < 0 ? 0 : 1);
    if (digits < 1 || digits > MOST_DIGITS) return NaN;
    // Both are exact, so that the quotient is rounded once, as Number() does.
    const value = point < 0 ? whole : whole / POWERS[end - point - 1]!;
    return isNegative ? -value : value;
  }
}
