// client/ and functions/_shared/ hold the same file, so that each folder can be used alone.

/** An instant that was read from text. */
export interface ParsedInstant {
  /** To the millisecond; further digits are cut off. */
  date: Date;
  /** The three digits after the milliseconds. */
  microseconds: string;
}

/** Why a text is not an instant, to be put after what the text is for. */
export interface InstantProblem {
  problem: string;
}

const DATE_AND_TIME = String.raw`(\d{4}-\d\d-\d\d)[T ]((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6})0*)?)?`;
const ZONE = String.raw`[Zz]|[Uu][Tt][Cc]|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?`;
const INSTANT = new RegExp(`^${DATE_AND_TIME}(?: ?(${ZONE}))?$`);

/**
 * Reads ISO 8601 text: date, `T` or a space, time, and zone. Seconds may be left out. A fraction may have any length as
 * long as its digits beyond microseconds are zeros. The zone is `Z` or `UTC` in either case, or an offset below 16 hours:
 * `+02`, `+0200` or `+02:00`. One space may stand before the zone. The database follows the same rule. Years are not
 * checked here. Does not throw.
 */
export function parseInstant(text: string): ParsedInstant | InstantProblem {
  const [, day, time, seconds = "00", fraction = "", zone] = INSTANT.exec(text) ?? [];
  if (day === undefined || !isDay(day)) {
    return { problem: 'must be a date and time with its zone, such as "2026-01-02T10:00:00Z"' };
  }
  if (zone === undefined) return { problem: 'lacks its zone: add "Z" for UTC, or an offset such as "+02:00"' };
  const digits = fraction.padEnd(6, "0");
  const date = new Date(`${day}T${time}:${seconds}.${digits.slice(0, 3)}${toIsoZone(zone)}`);
  return { date, microseconds: digits.slice(3) };
}

/** A zone as Date reads it. */
function toIsoZone(zone: string): string {
  if (!/^[+-]/.test(zone)) return "Z";
  return `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "").padEnd(2, "0")}`;
}

/** Date reads the 30th of February as the 2nd of March. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
