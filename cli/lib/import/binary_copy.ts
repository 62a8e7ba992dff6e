import type { BarList } from "./bar_list.ts";

/** The columns of {@link encodeBars}, in order. */
export const COPIED_COLUMNS = [
  ...["canonical_symbol", "ts_utc", "open", "high", "low", "close"],
  ...["vol", "vwap", "trade_count", "is_partial"],
] as const;

/** A signature, then flags, and the length of what follows them. */
const HEADER = new Uint8Array([...new TextEncoder().encode("PGCOPY\n"), 255, 13, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const TRAILER = new Uint8Array([255, 255]);

/** Bars in a part. */
const PART = 5_000;
/** Bytes of a row beside its symbol: the count of fields, the length of each, and eight for each but the last. */
const ROW_BYTES = 2 + 10 * 4 + 8 * 8 + 1;
/** Postgres counts from the year 2000. */
const EPOCH = Date.UTC(2000, 0, 1);
const UPPER = 2 ** 32;

/**
 * Bars in the binary format of copy, in parts. It spares writing numbers as text here and reading them there, which takes a
 * third of the time of a copy.
 */
export function* encodeBars(bars: BarList): Generator<Uint8Array> {
  yield HEADER;
  const encoder = new TextEncoder();
  let symbol = "";
  let name = new Uint8Array();
  for (let start = 0; start < bars.length; start += PART) {
    const end = Math.min(start + PART, bars.length);
    let longest = 0;
    for (let index = start; index < end; index++) longest = Math.max(longest, bars.symbol(index).length);
    const bytes = new Uint8Array((end - start) * (ROW_BYTES + 3 * longest));
    const view = new DataView(bytes.buffer);
    let at = 0;
    const writeLength = (length: number) => {
      view.setInt32(at, length);
      at += 4;
    };
    const writeDouble = (value: number) => {
      if (Number.isNaN(value)) return writeLength(-1);
      writeLength(8);
      view.setFloat64(at, value);
      at += 8;
    };
    const writeInteger = (value: number) => {
      if (Number.isNaN(value)) return writeLength(-1);
      writeLength(8);
      const upper = Math.floor(value / UPPER);
      view.setInt32(at, upper);
      view.setUint32(at + 4, value - upper * UPPER);
      at += 8;
    };
    for (let index = start; index < end; index++) {
      if (bars.symbol(index) !== symbol) {
        symbol = bars.symbol(index);
        name = encoder.encode(symbol);
      }
      view.setInt16(at, COPIED_COLUMNS.length);
      at += 2;
      writeLength(name.length);
      bytes.set(name, at);
      at += name.length;
      writeInteger((bars.number(index, 0) - EPOCH) * 1000);
      for (let nr = 1; nr <= 6; nr++) writeDouble(bars.number(index, nr));
      writeInteger(bars.number(index, 7));
      writeLength(1);
      bytes[at++] = bars.isPartial(index) ? 1 : 0;
    }
    yield bytes.subarray(0, at);
  }
  yield TRAILER;
}
