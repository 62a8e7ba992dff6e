import type { Origin } from "./bar.ts";

/** A row that did not go in. */
export interface RefusedRow {
  origin: Origin;
  /** The word it is counted under, e.g. `duplicate`. */
  reason: string;
  /** What is wrong and what to do, for people. */
  message: string;
}

interface FileProblems {
  listed: RefusedRow[];
  counts: Map<string, number>;
}

/** What went wrong in a run. Anything in here makes the exit status 1. */
export class Problems {
  readonly #files = new Map<string, FileProblems>();
  readonly #failures: string[] = [];

  refuseRow(row: RefusedRow): void {
    const file: FileProblems = this.#files.get(row.origin.file) ?? { listed: [], counts: new Map() };
    this.#files.set(row.origin.file, file);
    file.listed.push(row);
    file.counts.set(row.reason, (file.counts.get(row.reason) ?? 0) + 1);
  }

  /** Adds a failure that is no single row: a file, a task, a job. `message` is one line for people. */
  fail(message: string): void {
    this.#failures.push(message);
  }

  get refusedRows(): number {
    let sum = 0;
    for (const { listed } of this.#files.values()) sum += listed.length;
    return sum;
  }

  get any(): boolean {
    return this.#failures.length > 0 || this.#files.size > 0;
  }

  /** The rows refused so far, file by file, with the count of each reason. Empty when there are none. */
  describeRows(): string[] {
    return [...this.#files].flatMap(([file, { listed, counts }]) => {
      const total = listed.length;
      const reasons = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${count} ${reason}`);
      return [
        `${file}: ${total} ${total === 1 ? "row" : "rows"} refused (${reasons.join(", ")})`,
        ...listed.map(({ origin, message }) => `  ${origin.file}:${origin.line}  ${message}`),
      ];
    });
  }

  describeFailures(): string[] {
    return [...this.#failures];
  }
}
