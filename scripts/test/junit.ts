import { XMLParser } from "fast-xml-parser";
import { z } from "zod";
import { type Counts, NOTHING } from "../lib/result.ts";

const list = <T extends z.ZodType>(item: T) => z.array(item).default([]);
const testCase = z.object({
  name: z.string(),
  failure: z.unknown().optional(),
  error: z.unknown().optional(),
  skipped: z.unknown().optional(),
});
const report = z.object({
  testsuites: z.union([
    z.object({ testsuite: list(z.object({ name: z.string(), testcase: list(testCase) })) }),
    z.string().transform(() => ({ testsuite: [] })),
  ]).default({ testsuite: [] }),
});

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseAttributeValue: false,
  parseTagValue: false,
  isArray: (tag) => tag === "testsuite" || tag === "testcase",
});

/**
 * Counts the tests of each file in the JUnit report of `deno test`, by the file's path. A test counts once, however many
 * steps it has. An ignored step counts as skipped, since it proves nothing. A file that did not load is absent, and so is
 * every file when the run was killed.
 */
export function countJunit(xml: string): Map<string, Counts> {
  const files = new Map<string, Counts>();
  for (const suite of report.parse(parser.parse(xml)).testsuites.testsuite) {
    const counts: Counts = { ...NOTHING };
    const tests: string[] = [];
    for (const { name, failure, error, skipped } of suite.testcase) {
      const isStep = tests.some((test) => name.startsWith(`${test} > `));
      if (!isStep) tests.push(name);
      if (skipped !== undefined) counts.skipped++;
      else if (isStep) continue;
      else if (failure !== undefined || error !== undefined) counts.failed++;
      else counts.passed++;
    }
    files.set(suite.name.replace(/^\.\//, ""), counts);
  }
  return files;
}
