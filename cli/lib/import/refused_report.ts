import { closeSync, openSync, writeSync } from "node:fs";
import { stringify } from "csv-stringify/sync";
import type { RefusedRow } from "./read_bars.ts";

/** A CSV file of refused rows. It comes into being with the first one, in place of that of an earlier run. */
export class RefusedReport {
  readonly path: string;
  #file: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  get isWritten(): boolean {
    return this.#file !== undefined;
  }

  add({ origin: { file, line }, reason, message, text = "" }: RefusedRow): void {
    if (this.#file === undefined) {
      this.#file = openSync(this.path, "w");
      writeSync(this.#file, "file,line,reason,message,row\n");
    }
    // At once, so that memory stays bounded however many rows are refused.
    writeSync(this.#file, stringify([[file, line, reason, message, text]]));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
