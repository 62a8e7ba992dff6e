import { z } from "zod";
import { oneCheck, type StepResult } from "../lib/result.ts";
import { supabase } from "../lib/supabase.ts";

const lintOutput = z.object({ results: z.array(z.unknown()) });

const advisorOutput = z.object({
  results: z.array(z.object({
    name: z.string(),
    detail: z.string(),
    remediation: z.string(),
  })),
});

/** Left out: no index has been used in a database that has just been made. */
const UNUSED_INDEX = "unused_index";

/** plpgsql_check through `supabase db lint`: no finding of level warning or above. */
export async function lintDatabase(url: string): Promise<StepResult> {
  const { code, stdout, report } = await supabase(url, ["db", "lint", "--level", "warning", "--fail-on", "warning"]);
  return oneCheck(code === 0 && lintOutput.parse(JSON.parse(stdout)).results.length === 0, report);
}

/** Supabase's security and performance advisors: no finding of any level. */
export async function runAdvisors(url: string): Promise<StepResult> {
  const { code, stdout, report } = await supabase(url, ["db", "advisors", "--type", "all", "--level", "info"]);
  if (code !== 0) return oneCheck(false, report);
  const findings = advisorOutput.parse(JSON.parse(stdout)).results.filter(({ name }) => name !== UNUSED_INDEX);
  const list = findings.map(({ name, detail, remediation }) => `${name}: ${detail}\n  ${remediation}`).join("\n");
  return oneCheck(findings.length === 0, list);
}
