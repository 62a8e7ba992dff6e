/** Numbers of assertions or checks by their result. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What a step returns: its counts, and the text that explains its failures, which is shown only when there are any. */
export interface StepResult extends Counts {
  output: string;
}

export const NOTHING: Readonly<Counts> = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(left: Counts, right: Counts): Counts {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    skipped: left.skipped + right.skipped,
  };
}

/** Sums results; the output of those without a failure is left out. */
export function mergeResults(results: StepResult[]): StepResult {
  return {
    ...results.reduce(addCounts, NOTHING),
    output: results.filter((result) => result.failed > 0).map((result) => result.output.trimEnd()).join("\n\n"),
  };
}

/** The result of one check. */
export function oneCheck(passed: boolean, output: string): StepResult {
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0, output };
}

/** `N passed, N failed`, with `, N skipped` only when something was skipped. */
export function formatCounts({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed` + (skipped > 0 ? `, ${skipped} skipped` : "");
}
