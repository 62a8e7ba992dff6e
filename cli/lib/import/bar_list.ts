import type { Bar } from "./bar.ts";

/** Numbers of a bar: ts, open, high, low, close, vol, vwap, tradeCount. */
const NUMBERS = 8;

/** Many bars. Kept as objects, they would cost the collection of garbage as much as reading them costs. */
export class BarList {
  length = 0;
  #numbers = new Float64Array(NUMBERS * 1024);
  readonly #symbols: string[] = [];
  readonly #files: (string | undefined)[] = [];
  readonly #lines: number[] = [];
  readonly #partial = new Set<number>();

  static of(bars: Iterable<Bar>): BarList {
    const list = new BarList();
    for (const bar of bars) list.push(bar);
    return list;
  }

  push(bar: Bar): void {
    let at = this.length * NUMBERS;
    if (at === this.#numbers.length) {
      const longer = new Float64Array(2 * at);
      longer.set(this.#numbers);
      this.#numbers = longer;
    }
    const numbers = this.#numbers;
    numbers[at++] = bar.ts;
    numbers[at++] = bar.open;
    numbers[at++] = bar.high;
    numbers[at++] = bar.low;
    numbers[at++] = bar.close;
    numbers[at++] = bar.vol ?? NaN;
    numbers[at++] = bar.vwap ?? NaN;
    numbers[at++] = bar.tradeCount ?? NaN;
    this.#symbols.push(bar.symbol);
    this.#files.push(bar.origin?.file);
    this.#lines.push(bar.origin?.line ?? 0);
    if (bar.isPartial) this.#partial.add(this.length);
    this.length++;
  }

  symbol(index: number): string {
    return this.#symbols[index]!;
  }

  isPartial(index: number): boolean {
    return this.#partial.has(index);
  }

  /** A number of a bar: 0 is ts, 1 to 4 are open to close, 5 vol, 6 vwap, 7 tradeCount; the last three NaN where unknown. */
  number(index: number, nr: number): number {
    return this.#numbers[index * NUMBERS + nr]!;
  }

  toArray(): Bar[] {
    return this.#symbols.map((symbol, index) => {
      const [ts, open, high, low, close, vol, vwap, tradeCount] = this.#numbers.subarray(
        index * NUMBERS,
        (index + 1) * NUMBERS,
      ) as unknown as [number, number, number, number, number, number, number, number];
      const file = this.#files[index];
      return {
        ...{ symbol, ts, open, high, low, close },
        ...{ vol: known(vol), vwap: known(vwap), tradeCount: known(tradeCount) },
        ...(this.#partial.has(index) && { isPartial: true }),
        ...(file !== undefined && { origin: { file, line: this.#lines[index]! } }),
      };
    });
  }
}

function known(number: number): number | null {
  return Number.isNaN(number) ? null : number;
}
