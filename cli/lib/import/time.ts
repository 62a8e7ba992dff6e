/** A time as a file has it. */
export interface FileTime {
  /** Milliseconds: since the epoch for an instant, otherwise what the wall clock showed, as if it were UTC. */
  milliseconds: number;
  /** What is known of its zone: an instant has one, a wall clock does not; otherwise the name of a zone in the text. */
  zone: "instant" | "wall" | { name: string };
  /** There is no time of day. */
  isDay: boolean;
}

/** How to read dates with slashes: day or month first. */
export type DateOrder = "dmy" | "mdy";

const CLOCK = String.raw`(\d\d):?([0-5]\d)(?::?([0-5]\d)(?:[.,](\d+))?)?`;
const ZONE = String.raw`Z|z|UTC|utc|GMT|(?:UTC|GMT)?[+-](?:0\d|1[0-5])(?::?[0-5]\d)?|[A-Za-z_]+(?:\/[A-Za-z_-]+)+`;
const YEAR_FIRST = new RegExp(String.raw`^(\d{4})([-./]?)(\d\d)\2(\d\d)(?:[T ]?${CLOCK}(?: ?(${ZONE}))?)?$`);
const YEAR_LAST = new RegExp(String.raw`^(\d\d?)([./])(\d\d?)\2(\d{4})(?:,? ${CLOCK}(?: ?(${ZONE}))?)?$`);
/** Digits of an epoch in seconds, milliseconds, microseconds and nanoseconds, since 2001. */
const EPOCH_DIGITS = [10, 13, 16, 19];

/**
 * Reads a time: an epoch, told from its digits, or a date and time of day, with or without zone. Dates are read by hand: Date
 * takes `01.07.2024` for 7 January and a time without zone for local time. Dots mean that the day comes first. Throws an
 * Error with what is wrong, to be put after the text.
 */
export function readTime(text: string, dateOrder?: DateOrder): FileTime {
  const digits = /^(\d+)(?:\.0*)?$/.exec(text)?.[1];
  if (digits !== undefined) {
    if (EPOCH_DIGITS.includes(digits.length)) {
      // A number of JavaScript would round nanoseconds.
      const rest = digits.slice(10).padEnd(4, "0");
      const odd = /[1-9]/.test(rest.slice(3)) ? 0.5 : 0;
      return {
        milliseconds: Number(digits.slice(0, 10)) * 1000 + Number(rest.slice(0, 3)) + odd,
        zone: "instant",
        isDay: false,
      };
    }
  }
  const first = YEAR_FIRST.exec(text);
  if (first !== null) return readParts(first[1]!, first[3]!, first[4]!, first);
  const last = YEAR_LAST.exec(text);
  if (last === null) throw new Error("is not a time: write it as 2025-01-31T09:59:00Z");
  if (last[2] === "/" && dateOrder === undefined) {
    throw new Error("may have the day or the month first: --date-order dmy or --date-order mdy says which");
  }
  return last[2] === "." || dateOrder === "dmy"
    ? readParts(last[4]!, last[3]!, last[1]!, last)
    : readParts(last[4]!, last[1]!, last[3]!, last);
}

/**
 * Makes the function that reads the times of a file as {@link readTime} does. Of a time that has the day and the zone of the
 * one before, it reads hour and minute alone. What it returns holds until the next call.
 */
export function timeReader(dateOrder?: DateOrder): (text: string) => FileTime {
  let [day, rest, length] = ["", "", -1];
  let known: FileTime = { milliseconds: NaN, zone: "wall", isDay: true };
  let midnight = NaN;
  return (text) => {
    if (text.length === length && text.startsWith(day) && text.endsWith(rest)) {
      const minutes = readMinutes(text, day.length);
      if (minutes >= 0) {
        known.milliseconds = midnight + minutes * 60_000;
        return known;
      }
    }
    const time = readTime(text, dateOrder);
    const at = text.indexOf(":") - 2;
    // A zone may have the first colon.
    const minutes = /[T ]/.test(text.charAt(at - 1)) ? readMinutes(text, at) : -1;
    if (minutes < 0) return time;
    [day, rest, length] = [text.slice(0, at), text.slice(at + 5), text.length];
    midnight = time.milliseconds - minutes * 60_000;
    known = { ...time };
    return time;
  };
}

/** The minutes of the day that `HH:MM` at a place of a text says; -1 where there is something else. */
function readMinutes(text: string, at: number): number {
  const hour = readTwoDigits(text, at);
  const minute = readTwoDigits(text, at + 3);
  return text.charAt(at + 2) === ":" && hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59
    ? hour * 60 + minute
    : -1;
}

function readTwoDigits(text: string, at: number): number {
  const first = text.charCodeAt(at) - 48;
  const second = text.charCodeAt(at + 1) - 48;
  return first >= 0 && first <= 9 && second >= 0 && second <= 9 ? first * 10 + second : -1;
}

/** The time of day and the zone stand in the groups from 5 on. */
function readParts(year: string, month: string, day: string, groups: RegExpExecArray): FileTime {
  const midnight = midnightOf(Number(year), Number(month), Number(day));
  if (groups[5] === undefined) return { milliseconds: midnight, zone: "wall", isDay: true };
  const hour = Number(groups[5]);
  if (hour > 23) throw new Error("is not a time: the day has no such hour");
  const seconds = (hour * 60 + Number(groups[6])) * 60 + Number(groups[7] ?? 0);
  // Of a fraction it matters only whether there is one.
  const odd = groups[8] !== undefined && /[1-9]/.test(groups[8]) ? 0.5 : 0;
  const milliseconds = midnight + seconds * 1000 + odd;
  const zone = groups[9];
  if (zone === undefined) return { milliseconds, zone: "wall", isDay: false };
  if (zone === "Z") return { milliseconds, zone: "instant", isDay: false };
  if (zone.includes("/")) return { milliseconds, zone: { name: zone }, isDay: false };
  const [, sign, hours, minutes = "00"] = /([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  const offset = sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60_000 : 60_000);
  return { milliseconds: milliseconds - offset, zone: "instant", isDay: false };
}

/** Date takes the 30th of February for the 2nd of March. */
function midnightOf(year: number, month: number, day: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  if (year < 100 || month < 1 || month > 12 || day < 1 || day > days) {
    throw new Error("is not a time: the calendar has no such day");
  }
  return Date.UTC(year, month - 1, day);
}
