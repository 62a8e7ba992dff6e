import process from "node:process";
import { createInterface } from "node:readline/promises";
import { Refusal } from "./failure.ts";

/** Asks on standard error and reads the answer from standard input. Throws a {@link Refusal} for any answer but yes. */
export async function confirm(question: string): Promise<void> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const ended = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
    const answer = await Promise.race([reader.question(`${question} [y/N] `), ended]);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    reader.close();
  }
  throw new Refusal("Nothing was changed. --yes answers yes.");
}
