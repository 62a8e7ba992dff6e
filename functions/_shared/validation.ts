import { z } from "zod";
import { parseInstant } from "./instant.ts";
import { type Issue, Refusal } from "./refusal.ts";

/** Reads `value` by `schema`. Throws a {@link Refusal} with status 422 and zod's issues where it does not fit. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw unprocessable(error.issues.map(({ code, path, message }) => ({ code, path, message })));
}

/** A {@link Refusal} with status 422. */
export function unprocessable(issues: Issue[]): Refusal {
  return new Refusal(422, "invalid_body", "The function does not take this body; the issues say where.", { issues });
}

/** A symbol that Postgres can look up: no control characters and no half of a surrogate pair. */
export const symbolSchema = z.string().max(200).regex(/^[^\s\p{C}]([^\p{C}]*[^\s\p{C}])?$/u, "is not a symbol");

const MIN_TIME = Date.UTC(1900, 0, 1);
const MAX_TIME = Date.UTC(2200, 0, 1);

/**
 * An instant as the client reads it too, in the years that bars may have: from 1900 up to 2200. It becomes a Date, to the
 * millisecond.
 */
export const instantSchema = z.string().transform((text, context) => {
  const parsed = parseInstant(text);
  if ("problem" in parsed) {
    context.issues.push({ code: "invalid_format", format: "datetime", input: text, message: parsed.problem });
    return z.NEVER;
  }
  if (parsed.date.getTime() >= MIN_TIME && parsed.date.getTime() < MAX_TIME) return parsed.date;
  context.issues.push({ code: "custom", input: text, message: "must be from 1900 up to 2200" });
  return z.NEVER;
});
