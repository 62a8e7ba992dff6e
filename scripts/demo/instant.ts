/** A point in time: milliseconds since the epoch, and the microseconds beyond them. */
export interface Instant {
  milliseconds: number;
  microseconds: number;
}

const INSTANT =
  /^(\d{4}-\d\d-\d\d)[T ]((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d)(?:\.(\d+))?)? ?(?:(Z|z|UTC)|([+-](?:0\d|1[0-5]))(?::?([0-5]\d))?)?$/;

/**
 * Reads ISO 8601 date and time with a zone, to the microsecond: `2026-01-02T10:00Z`, `2026-01-02 12:00:00.000000000 +02`.
 * The zone is `Z`, `z`, `UTC`, or an offset such as `+02`, `+0200`, `+02:00`. Returns "without zone" for text that lacks
 * only the zone, and undefined for text that is not an instant.
 */
export function readInstant(text: string): Instant | "without zone" | undefined {
  const [, day, time, seconds = "00", fraction = "", utc, hours, minutes = "00"] = INSTANT.exec(text) ?? [];
  if (day === undefined || !isDay(day) || /[^0]/.test(fraction.slice(6))) return undefined;
  if (utc === undefined && hours === undefined) return "without zone";
  const digits = fraction.padEnd(6, "0");
  const zone = hours === undefined ? "Z" : `${hours}:${minutes}`;
  return {
    milliseconds: Date.parse(`${day}T${time}:${seconds}.${digits.slice(0, 3)}${zone}`),
    microseconds: Number(digits.slice(3, 6)),
  };
}

/** Date reads the 30th of February as the 2nd of March. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
