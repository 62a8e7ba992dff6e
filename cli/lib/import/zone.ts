import { DAY, HOUR } from "./bar.ts";

/** The clock that a file was written by. */
export interface Zone {
  name: string;
  /** The instant at which the clock showed `wall`, both in milliseconds; "twice" or "never" where the clock was changed. */
  toUtc(wall: number): number | "twice" | "never";
}

const QUARTER = HOUR / 4;

/**
 * Reads the name of a zone: `UTC`, an offset such as `-05:00`, an IANA name with a slash, or `NewYork+7`: New York plus
 * whole hours, as many MetaTrader servers have it. Throws an Error that says what to give in place of anything else.
 */
export function readZone(text: string): Zone {
  if (/^(utc|gmt|z)$/i.test(text)) return fixedZone("UTC", 0);
  const offset = /^([+-])(\d\d):?([0-5]\d)?$/.exec(text);
  if (offset !== null && Number(offset[2]) < 16) {
    const hours = Number(offset[2]) + Number(offset[3] ?? 0) / 60;
    return fixedZone(`${offset[1]}${offset[2]}:${offset[3] ?? "00"}`, (offset[1] === "-" ? -hours : hours) * HOUR);
  }
  const newYork = /^new_?york([+-])(\d\d?)$/i.exec(text);
  if (newYork !== null) {
    const hours = Number(`${newYork[1]}${newYork[2]}`);
    const zone = namedZone("America/New_York");
    return { name: `NewYork${newYork[1]}${Number(newYork[2])}`, toUtc: (wall) => zone.toUtc(wall - hours * HOUR) };
  }
  // Short names are traps: EST never changes its clock, EST5EDT does, and UTC-5 means UTC+5 to Postgres.
  if (!text.includes("/")) {
    throw new Error(
      `${
        JSON.stringify(text)
      } is not taken as a zone: give a name such as America/New_York, an offset such as -05:00, ` +
        "UTC, or NewYork+7 for the clock of many MetaTrader servers",
    );
  }
  try {
    return namedZone(text);
  } catch {
    throw new Error(`the zone ${JSON.stringify(text)} is not known here: give a name of the IANA list, or an offset`);
  }
}

function fixedZone(name: string, offset: number): Zone {
  return { name, toUtc: (wall) => wall - offset };
}

/** Throws a RangeError for a name that is not known. */
function namedZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    // `hour12: false` gives 24 for midnight on some versions.
    ...{ hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  const offsetAt = (instant: number) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const { year, month, day, hour, minute, second } = parts;
    return Date.UTC(year!, month! - 1, day, hour, minute, second) - instant;
  };
  const convert = (wall: number) => {
    const offsets = new Set([offsetAt(wall - DAY), offsetAt(wall + DAY)]);
    const instants = [...offsets].filter((offset) => offsetAt(wall - offset) === offset).map((offset) => wall - offset);
    return instants.length === 1 ? instants[0]! : instants.length === 0 ? "never" : "twice";
  };
  // Clocks change at the quarters of an hour, and the rows of a file follow each other.
  let quarter = NaN;
  let converted: number | "twice" | "never" = NaN;
  return {
    name: format.resolvedOptions().timeZone,
    toUtc: (wall) => {
      const start = wall - wall % QUARTER;
      if (start !== quarter) {
        quarter = start;
        converted = convert(start);
      }
      return typeof converted === "number" ? converted + wall - start : converted;
    },
  };
}
