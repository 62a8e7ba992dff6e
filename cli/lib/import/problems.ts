import type { RefusedRow } from "./read_bars.ts";

/** What was refused in a file, reason by reason; of each the first rows are kept. */
type FileProblems = Map<string, { count: number; first: RefusedRow[] }>;

const LISTED_ROWS = 5;

/** What went wrong in a run. Anything in here makes the exit status 1. */
export class Problems {
  readonly #files = new Map<string, FileProblems>();
  readonly #failures: string[] = [];

  refuseRow(row: RefusedRow): void {
    const file: FileProblems = this.#files.get(row.origin.file) ?? new Map();
    this.#files.set(row.origin.file, file);
    const reason = file.get(row.reason) ?? { count: 0, first: [] };
    file.set(row.reason, reason);
    reason.count++;
    if (reason.first.length < LISTED_ROWS) reason.first.push(row);
  }

  /** Adds a failure that is no single row: a file, a task, a job. `message` is one line for people. */
  fail(message: string): void {
    this.#failures.push(message);
  }

  get refusedRows(): number {
    return sum([...this.#files.values()].flatMap((file) => [...file.values()].map(({ count }) => count)));
  }

  get any(): boolean {
    return this.#failures.length > 0 || this.#files.size > 0;
  }

  /** The rows refused so far, file by file: the first rows of each reason, and counts. Empty when there are none. */
  describeRows(): string[] {
    return [...this.#files].flatMap(([file, reasons]) => {
      const all = [...reasons].map(([reason, { count }]): Count => [reason, count]);
      const rest = [...reasons].map(([reason, { count, first }]): Count => [reason, count - first.length]);
      const listed = [...reasons.values()].flatMap(({ first }) => first).sort((a, b) => a.origin.line - b.origin.line);
      const total = sum(all.map(([, count]) => count));
      const more = sum(rest.map(([, count]) => count));
      return [
        `${file}: ${formatCount(total)} ${total === 1 ? "row" : "rows"} refused (${list(all)})`,
        ...listed.map(({ origin, message }) => `  ${origin.file}:${origin.line}  ${message}`),
        ...more > 0 ? [`  and ${formatCount(more)} more: ${list(rest)}`] : [],
      ];
    });
  }

  /** The refused rows of all files by reason, the most frequent first. */
  countReasons(): { reason: string; count: number }[] {
    const counts = new Map<string, number>();
    for (const file of this.#files.values()) {
      for (const [reason, { count }] of file) counts.set(reason, (counts.get(reason) ?? 0) + count);
    }
    return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count);
  }

  describeFailures(): string[] {
    return [...this.#failures];
  }
}

type Count = [reason: string, count: number];

function list(counts: Count[]): string {
  return counts.filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${formatCount(count)} ${reason}`).join(", ");
}

function sum(counts: number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}
