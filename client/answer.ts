import { PgbarsError } from "./error.ts";
import type { UpsertResult } from "./upsert.ts";

/**
 * The counts called `names` of what a function of the database answered. Throws a PgbarsError where one is missing, with
 * what was done before.
 */
export function readCounts<Name extends string>(
  call: string,
  answer: unknown,
  names: readonly Name[],
  soFar?: UpsertResult,
): Record<Name, number> {
  const counts = (answer ?? {}) as Record<Name, unknown>;
  const missing = names.filter((name) => !Number.isInteger(counts[name]));
  if (missing.length > 0) throw unknownAnswer(call, `it lacks the counts ${missing.join(", ")}`, soFar);
  return Object.fromEntries(names.map((name) => [name, counts[name]])) as Record<Name, number>;
}

/** The list called `name` of what a function of the database answered. Throws as {@link readCounts} does. */
export function readList<Item>(call: string, answer: unknown, name: string, soFar?: UpsertResult): Item[] {
  const list = (answer as Record<string, unknown> | null)?.[name];
  if (!Array.isArray(list)) throw unknownAnswer(call, `it lacks the list ${name}`, soFar);
  return list;
}

/** The text called `name` of what a function of the database answered. Throws a PgbarsError where there is none. */
export function readText(call: string, answer: unknown, name: string): string {
  const text = (answer as Record<string, unknown> | null)?.[name];
  if (typeof text !== "string") throw unknownAnswer(call, `it lacks the text ${name}`);
  return text;
}

/** The failure of an answer that came, but is not what the call is known to answer. */
export function unknownAnswer(call: string, problem: string, soFar?: UpsertResult): PgbarsError {
  const message = `the answer is not one that this client knows: ${problem}. Are the migrations of the same version?`;
  return new PgbarsError(call, { message }, 200, soFar);
}
