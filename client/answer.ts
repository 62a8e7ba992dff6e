import type { UpsertResult } from "./bar_input.ts";
import { type Failure, PgbarsError } from "./error.ts";

/** A response of supabase-js, with data or with an error. */
export interface ApiResponse<Data> {
  data: Data | null;
  error: Failure | null;
  status: number;
}

/**
 * The data of a response. Throws a {@link PgbarsError} when the call failed or its answer is empty. The error carries
 * `soFar`, as do those of the functions below.
 */
export function unwrap<Data>(call: string, { data, error, status }: ApiResponse<Data>, soFar?: UpsertResult): Data {
  if (error !== null) throw new PgbarsError(call, error, status, soFar);
  if (data === null) throw new PgbarsError(call, { message: "the answer is empty" }, status, soFar);
  return data;
}

/** The counts called `names` in what a function of the database answered. Throws a PgbarsError where one is missing. */
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

/** The list called `name` in what a function of the database answered. Throws a PgbarsError where it is missing. */
export function readList<Item>(call: string, answer: unknown, name: string, soFar?: UpsertResult): Item[] {
  const list = (answer as Record<string, unknown> | null)?.[name];
  if (!Array.isArray(list)) throw unknownAnswer(call, `it lacks the list ${name}`, soFar);
  return list;
}

/** The text called `name` in what a function of the database answered. Throws a PgbarsError where it is missing. */
export function readText(call: string, answer: unknown, name: string): string {
  const text = (answer as Record<string, unknown> | null)?.[name];
  if (typeof text !== "string") throw unknownAnswer(call, `it lacks the text ${name}`);
  return text;
}

/** The error for an answer of a shape that this client does not know. */
export function unknownAnswer(call: string, problem: string, soFar?: UpsertResult): PgbarsError {
  const message = `this client does not know such an answer: ${problem}. Are the migrations of the same version?`;
  return new PgbarsError(call, { message }, 200, soFar);
}
