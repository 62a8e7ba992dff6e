import { run } from "../lib/process.ts";
import { oneCheck, type StepResult } from "../lib/result.ts";
import { CODE_FOLDERS } from "./imports.ts";

export function checkFormat(): Promise<StepResult> {
  return runDeno(["fmt", "--check"]);
}

export function lint(): Promise<StepResult> {
  return runDeno(["lint"]);
}

export async function checkTypes(): Promise<StepResult> {
  const found = await Promise.all(CODE_FOLDERS.map(exists));
  return runDeno(["check", ...CODE_FOLDERS.filter((_, index) => found[index])]);
}

async function runDeno(args: string[]): Promise<StepResult> {
  const { code, report } = await run(Deno.execPath(), args);
  return oneCheck(code === 0, report);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
