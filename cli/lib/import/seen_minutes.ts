import { DAY, MINUTE } from "./bar.ts";

/** Days that are kept in memory, each with a bit a minute: about 100 MB. */
const MOST_DAYS = 400_000;

/** The minutes that a file had, so that one that it has again is found. Of more days than fit, it forgets the oldest it read. */
export class SeenMinutes {
  readonly #days = new Map<string, Uint8Array>();
  #symbol = "";
  #day = NaN;
  #minutes: Uint8Array = new Uint8Array();

  /** Adds a minute. Returns whether it was there. */
  add(symbol: string, ts: number): boolean {
    const day = Math.floor(ts / DAY);
    if (day !== this.#day || symbol !== this.#symbol) {
      this.#symbol = symbol;
      this.#day = day;
      this.#minutes = this.#get(`${day} ${symbol}`);
    }
    const minute = (ts - day * DAY) / MINUTE;
    const bit = 1 << (minute & 7);
    const wasThere = (this.#minutes[minute >> 3]! & bit) !== 0;
    this.#minutes[minute >> 3]! |= bit;
    return wasThere;
  }

  #get(key: string): Uint8Array {
    const known = this.#days.get(key);
    if (known !== undefined) return known;
    if (this.#days.size === MOST_DAYS) this.#days.delete(this.#days.keys().next().value!);
    const minutes = new Uint8Array(180);
    this.#days.set(key, minutes);
    return minutes;
  }
}
