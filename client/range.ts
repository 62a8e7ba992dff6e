import { show } from "./values.ts";

/** A Date, or ISO 8601 text with its zone, to the microsecond: `2026-01-02T10:00Z`, `2026-01-02 12:00:00.123456+02`. */
export type Instant = Date | string;

/** Half-open, as ISO 8601 text in UTC, to the microsecond. */
export interface Range {
  from: string;
  to: string;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d)?)$/;

/**
 * Reads `[from, to)`. Throws a TypeError for what is no instant, a RangeError where `from` is not before `to` or one of
 * them is not in the years 1 to 9999.
 */
export function readRange(call: string, from: Instant, to: Instant): Range {
  const start = readInstant(`${call}: from`, from);
  const end = readInstant(`${call}: to`, to);
  if (start >= end) throw new RangeError(`${call}: from (${start}) must be before to (${end})`);
  return { from: start, to: end };
}

function readInstant(name: string, value: Instant): string {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError(`${name} is an invalid Date`);
    return toUtc(name, value, "000");
  }
  const [, day, time, seconds = "00", fraction = "", zone] = (typeof value === "string" && INSTANT.exec(value)) || [];
  const digits = fraction.padEnd(6, "0");
  const instant = new Date(`${day}T${time}:${seconds}.${digits.slice(0, 3)}${readZone(zone ?? "")}`);
  if (day === undefined || !isDay(day) || Number.isNaN(instant.getTime())) {
    throw new TypeError(
      `${name} must be a Date or a string with its zone such as "2026-01-02T10:00:00Z", not ${show(value)}`,
    );
  }
  return toUtc(name, instant, digits.slice(3));
}

/** A zone as Date reads it: `+02` and `+0200` are `+02:00`. */
function readZone(zone: string): string {
  return zone === "Z" ? zone : `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "").padEnd(2, "0")}`;
}

function toUtc(name: string, instant: Date, microseconds: string): string {
  const text = instant.toISOString();
  if (!/^(?!0000)\d{4}-/.test(text)) throw new RangeError(`${name} (${text}) must be in the years 1 to 9999`);
  return text.replace("Z", `${microseconds}Z`);
}

/** Date reads the 30th of February as the 2nd of March. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
