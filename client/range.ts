import { parseInstant } from "./instant.ts";
import { show } from "./values.ts";

/** A Date, or ISO 8601 text with its zone, to the microsecond: `2026-01-02T10:00Z`, `2026-01-02 12:00:00.123456+02`. */
export type Instant = Date | string;

/** Half-open, as ISO 8601 text in UTC, to the microsecond. */
export interface Range {
  from: string;
  to: string;
}

/**
 * Reads `[from, to)`. Throws a TypeError for a value that is not an instant, and a RangeError where `from` is not before
 * `to` or one of them is not in the years 1 to 9999. The message begins with `call` and the name of the argument.
 */
export function readRange(call: string, from: Instant, to: Instant): Range {
  const start = readInstant(`${call}: from`, from);
  const end = readInstant(`${call}: to`, to);
  if (start >= end) throw new RangeError(`${call}: from (${start}) must be before to (${end})`);
  return { from: start, to: end };
}

/** An instant as ISO 8601 text in UTC. Throws as {@link readRange} does; the message begins with `name`. */
export function readInstant(name: string, value: Instant): string {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError(`${name} is an invalid Date`);
    return toUtc(name, value, "000");
  }
  if (typeof value !== "string") throw new TypeError(`${name} must be a Date or text, not ${show(value)}`);
  const parsed = parseInstant(value);
  if ("problem" in parsed) throw new TypeError(`${name} (${show(value)}) ${parsed.problem}`);
  return toUtc(name, parsed.date, parsed.microseconds);
}

function toUtc(name: string, instant: Date, microseconds: string): string {
  const text = instant.toISOString();
  if (!/^(?!0000)\d{4}-/.test(text)) throw new RangeError(`${name} (${text}) must be in the years 1 to 9999`);
  return text.replace("Z", `${microseconds}Z`);
}
