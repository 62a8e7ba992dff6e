/** A Date, or ISO 8601 text with its zone: `2026-01-02T10:00Z`, `2026-01-02T12:00:00.000+02:00`. */
export type Instant = Date | string;

/** Half-open, as ISO 8601 text in UTC. */
export interface Range {
  from: string;
  to: string;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

/** Reads `[from, to)`. Throws a TypeError for what is no instant, a RangeError where `from` is not before `to`. */
export function readRange(call: string, from: Instant, to: Instant): Range {
  const start = readInstant(`${call}: from`, from);
  const end = readInstant(`${call}: to`, to);
  if (start >= end) {
    throw new RangeError(`${call}: from (${start.toISOString()}) must be before to (${end.toISOString()})`);
  }
  return { from: start.toISOString(), to: end.toISOString() };
}

function readInstant(name: string, value: Instant): Date {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError(`${name} is an invalid Date`);
    return value;
  }
  const day = typeof value === "string" ? INSTANT.exec(value)?.[1] : undefined;
  const instant = new Date(value);
  if (day === undefined || !isDay(day) || Number.isNaN(instant.getTime())) {
    throw new TypeError(
      `${name} must be a Date or a string with its zone such as "2026-01-02T10:00:00Z", not ${JSON.stringify(value)}`,
    );
  }
  return instant;
}

/** Date reads the 30th of February as the 2nd of March. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
