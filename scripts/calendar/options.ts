import { Command, InvalidArgumentError } from "commander";

/** The command line of `deno task calendar`. What was not given is absent. */
export interface CalendarOptions {
  name: string;
  file: string;
  db?: string;
  timeZone?: string;
  dayStart?: string;
}

const formats = `\
A CSV file has a header with the columns day (or date), kind, opens_at and
closes_at; other columns are not read. kind is closed, early_close, late_opening
or special_opening; where it is missing, the times say which. Times are local.

  day,kind,opens_at,closes_at
  2026-12-25,closed,,
  2026-11-27,early_close,,13:00

An ICS file has an event for each time in which the market is closed. An all-day
event closes its trading days. An event with times closes what it covers: up to
the end of a trading day (midnight, or --day-start) it is an early close, from
the beginning of one a late opening. An event whose summary begins with "Special
opening" opens the market instead. Repeated events count up to 2050.`;

/** Reads the command line. Prints help or a usage error and ends the process where that is due. */
export function parseOptions(args: readonly string[]): CalendarOptions {
  const program = new Command("deno task calendar")
    .description(
      "Reads the days on which a market is closed, or open for other hours, from a .csv or .ics file, and prints them.\n" +
        "With --db they replace those of the calendar NAME (see import_calendar), and bars follow.",
    )
    .argument("<name>", "the calendar, as metadata.agg.calendar names it, such as XTKS")
    .argument("<file>", "a .csv or .ics file")
    .option("--db <url>", "store the days in this database (postgres://...)")
    .option("--time-zone <zone>", "zone of the local times, such as Asia/Tokyo; a new calendar needs it", parseTimeZone)
    .option("--day-start <time>", "when a trading day begins, from 12:00 on on the date before it (00:00)", parseTime)
    .addHelpText("after", `\n${formats}`)
    .allowExcessArguments(false)
    .showHelpAfterError("See --help.");
  program.parse(args, { from: "user" });
  const [name, file] = program.processedArgs as [string, string];
  return { name, file, ...program.opts<Omit<CalendarOptions, "name" | "file">>() };
}

function parseTimeZone(text: string): string {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId;
  } catch {
    throw new InvalidArgumentError("Give the name of a time zone, such as Asia/Tokyo.");
  }
}

function parseTime(text: string): string {
  if (/^([01]\d|2[0-3]):[0-5]\d$/.test(text)) return text;
  throw new InvalidArgumentError("Give a time such as 17:00.");
}
