import { z } from "zod";
import { type Issue, Refusal } from "./refusal.ts";

/** Reads `value` as `schema` says. Throws a {@link Refusal} with status 422 and zod's issues. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw unprocessable(error.issues.map(({ code, path, message }) => ({ code, path, message })));
}

/** A {@link Refusal} with status 422. */
export function unprocessable(issues: Issue[]): Refusal {
  return new Refusal(422, "invalid_body", "The body is not what this function takes; issues say where.", { issues });
}

/** A symbol that Postgres can be asked for: no control characters or half surrogates, which text cannot hold. */
export const symbolSchema = z.string().max(200).regex(/^[^\s\p{C}]([^\p{C}]*[^\s\p{C}])?$/u, "is not a symbol");

const MIN_TIME = Date.UTC(1900, 0, 1);
const MAX_TIME = Date.UTC(2200, 0, 1);

/** An instant with its offset from UTC, in the years that bars may have: from 1900 up to 2200. */
export const instantSchema = z.iso.datetime({ offset: true, abort: true })
  .transform((text) => new Date(text))
  .refine((instant) => instant.getTime() >= MIN_TIME && instant.getTime() < MAX_TIME, {
    message: "must be from 1900 up to 2200",
  });
