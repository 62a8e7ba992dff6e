import { type FinalResults, Parser } from "tap-parser";
import { type Counts, NOTHING, type StepResult } from "../lib/result.ts";

/** The parser's messages for a plan that is not met. It leaves them out once an assertion has failed. */
const PLAN_ERRORS = ["incorrect number of tests", "no plan"];

/**
 * Counts one file's TAP. Every assertion counts once: `# SKIP` and `# TODO` as skipped, whatever their result, the rest as
 * passed or failed. A file counts one more failure when no assertion ran, the plan was not met, it bailed out, or `error`
 * gives the error that ended it.
 */
export function countTap(file: string, tap: string, error?: string): StepResult {
  const { counts, results } = parse(tap);
  const problems = findProblems(counts, results, error);
  return {
    ...counts,
    failed: counts.failed + (problems.length > 0 ? 1 : 0),
    output: [file, tap.trim(), ...problems].filter(Boolean).join("\n"),
  };
}

function parse(tap: string): { counts: Counts; results: FinalResults } {
  const counts: Counts = { ...NOTHING };
  let results: FinalResults | undefined;
  const parser = new Parser((final) => results = final);
  parser.on("assert", (assertion) => {
    if (assertion.skip || assertion.todo) counts.skipped++;
    else if (assertion.ok) counts.passed++;
    else counts.failed++;
  });
  parser.end(tap);
  if (!results) throw new Error("The TAP parser did not finish.");
  if (results.plan.skipAll && /skip/i.test(results.plan.skipReason)) counts.skipped++;
  return { counts, results };
}

function findProblems(counts: Counts, results: FinalResults, error: string | undefined): string[] {
  const problems: string[] = [];
  const planned = (results.plan.end ?? 0) - (results.plan.start ?? 1) + 1;
  if (results.plan.end === null) problems.push("no plan");
  else if (planned !== results.count) problems.push(`planned ${planned} assertions but ran ${results.count}`);
  for (const { tapError } of results.failures) {
    if (tapError && !PLAN_ERRORS.includes(tapError)) problems.push(tapError);
  }
  if (results.bailout) problems.push(`bailed out: ${results.bailout}`);
  if (counts.passed + counts.failed + counts.skipped === 0) problems.push("no assertion ran");
  if (error) problems.push(error);
  return problems.map((problem) => `!! ${problem}`);
}
