import { z } from "zod";
import type { TestContext } from "./context.ts";
import { oneCheck, type StepResult } from "./result.ts";
import { supabase } from "./supabase.ts";

const lintOutput = z.object({ results: z.array(z.unknown()) });

const advisorOutput = z.object({
  results: z.array(z.object({
    name: z.string(),
    detail: z.string(),
    remediation: z.string(),
    metadata: z.object({ schema: z.string().optional(), name: z.string().optional() }).optional(),
  })),
});

type Finding = z.infer<typeof advisorOutput>["results"][number];

/** Findings that do not count, each with its reason. Without `object` the reason holds for every object. */
const ACCEPTED: readonly { name: string; object?: string; why: string }[] = [
  { name: "unused_index", why: "in a database that has just been made no index has been used" },
  {
    name: "function_search_path_mutable",
    object: "public.agg_run_due",
    why: "a procedure with a SET clause may not commit; its body qualifies every name",
  },
];

/** plpgsql_check through `supabase db lint`: no finding of level warning or above. */
export async function lintDatabase(context: TestContext): Promise<StepResult> {
  const { url } = await context.pushed();
  const { code, stdout, report } = await supabase(url, ["db", "lint", "--level", "warning", "--fail-on", "warning"]);
  return oneCheck(code === 0 && lintOutput.parse(JSON.parse(stdout)).results.length === 0, report);
}

/** Supabase's security and performance advisors: no finding of any level but the accepted ones. */
export async function runAdvisors(context: TestContext): Promise<StepResult> {
  const { url } = await context.pushed();
  const { code, stdout, report } = await supabase(url, ["db", "advisors", "--type", "all", "--level", "info"]);
  if (code !== 0) return oneCheck(false, report);
  const findings = advisorOutput.parse(JSON.parse(stdout)).results.filter((finding) => !isAccepted(finding));
  const list = findings.map(({ name, detail, remediation }) => `${name}: ${detail}\n  ${remediation}`).join("\n");
  return oneCheck(findings.length === 0, list);
}

/** Exported for its test. */
export function isAccepted({ name, metadata }: Pick<Finding, "name" | "metadata">): boolean {
  const object = `${metadata?.schema}.${metadata?.name}`;
  return ACCEPTED.some((accepted) => accepted.name === name && (accepted.object ?? object) === object);
}
