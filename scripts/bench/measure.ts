/** One line of the report: how much pgbars took against something else, and what the budget asks for. */
export interface Measurement {
  work: string;
  /** Milliseconds of wall clock, median over the runs; megabytes where `unit` says so. */
  pgbars: number;
  unit?: "MB";
  against?: { name: string; milliseconds: number };
  budget: { text: string; met: boolean };
}

/** Milliseconds of wall clock that `work` takes. */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The median; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}

/** The median of how much `times` took against `others`, round by round: in one round the machine is as fast for both. */
export function medianRatio(times: readonly number[], others: readonly number[]): number {
  return median(times.map((milliseconds, round) => milliseconds / others[round]!));
}
