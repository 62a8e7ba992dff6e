import ICAL from "ical.js";
import { describeError } from "../../cli/lib/error.ts";
import { type CalendarDay, FileProblems, type ReadDay } from "./day.ts";

/** How a calendar reads its local times. */
export interface Clock {
  /** Absent where it is not known: then an event with times is refused. */
  timeZone?: string | undefined;
  /** When a trading day begins: from 12:00 on on the date before it. */
  dayStart: string;
}

/** Repeated events may have no end. */
const LAST_YEAR = 2050;

/** Reads days from an iCalendar text. Throws {@link FileProblems}. */
export function readIcs(text: string, clock: Clock): ReadDay[] {
  const problems: string[] = [];
  const days: ReadDay[] = [];
  for (const event of readEvents(text)) {
    const name = event.summary?.trim() || "event without a summary";
    if (event.component.getFirstPropertyValue("status") === "CANCELLED") continue;
    try {
      for (const [start, end] of occurrences(event)) {
        days.push(...readDays(name, start, end, clock).map((day) => ({ day, origin: name })));
      }
    } catch (error) {
      problems.push(`${name}: ${describeError(error)}`);
    }
  }
  if (problems.length > 0) throw new FileProblems(problems);
  return days;
}

function readEvents(text: string): ICAL.Event[] {
  let parsed: unknown[];
  try {
    parsed = ICAL.parse(text);
  } catch (cause) {
    throw new FileProblems([describeError(cause)]);
  }
  const calendars = (typeof parsed[0] === "string" ? [parsed] : parsed) as unknown[][];
  return calendars.flatMap((calendar) => {
    const events = new ICAL.Component(calendar).getAllSubcomponents("vevent").map((event) => new ICAL.Event(event));
    const changes = events.filter((event) => event.isRecurrenceException());
    for (const event of events) {
      for (const change of changes) {
        if (!changes.includes(event) && change.uid === event.uid) event.relateException(change);
      }
    }
    return events.filter((event) => !event.isRecurrenceException());
  });
}

/** A time of the file, and the name of its zone where it has one that is not UTC. */
interface EventTime {
  time: ICAL.Time;
  zone: string | undefined;
}

function* occurrences(event: ICAL.Event): Generator<[start: EventTime, end: EventTime]> {
  if (!event.isRecurring()) {
    yield bounds(event, event.startDate, event.endDate);
    return;
  }
  const iterator = event.iterator();
  for (let next = iterator.next(); next && next.year <= LAST_YEAR; next = iterator.next()) {
    const { item, startDate, endDate } = event.getOccurrenceDetails(next);
    yield bounds(item, startDate, endDate);
  }
}

function bounds({ component }: ICAL.Event, start: ICAL.Time, end: ICAL.Time): [start: EventTime, end: EventTime] {
  const zoneOf = (property: string) => component.getFirstProperty(property)?.getFirstParameter("tzid");
  const zone = zoneOf("dtstart");
  return [{ time: start, zone }, { time: end, zone: zoneOf("dtend") ?? zone }];
}

/** What an event from `start` to `end` says of the trading days that it touches. */
function readDays(name: string, start: EventTime, end: EventTime, clock: Clock): CalendarDay[] {
  if (start.time.isDate) {
    if (/\b(early|half|late|delayed|short(ened)?|open(s|ing)?)\b/i.test(name)) {
      throw new Error("an all-day event means closed: give the event the times in which the market is closed");
    }
    // An end is not part of the event; without one it is a day long.
    const first = readDate(start.time);
    const next = readDate(end.time);
    const last = Temporal.PlainDate.compare(first, next) < 0 ? next.subtract({ days: 1 }) : first;
    return datesBetween(first, last).map((date) => ({ day: date.toString(), kind: "closed" }));
  }

  const from = readWall(start, clock);
  const to = readWall(end, clock);
  if (Temporal.PlainDateTime.compare(from, to) >= 0) throw new Error("the event has no length");
  const days = datesBetween(tradingDay(from, clock), tradingDay(to.subtract({ minutes: 1 }), clock));
  if (/^special opening\b/i.test(name)) {
    if (days.length > 1) {
      throw new Error(`a special opening must lie in one trading day, which begins at ${clock.dayStart}`);
    }
    return [{ day: days[0]!.toString(), kind: "special_opening", opens_at: readTime(from), closes_at: readTime(to) }];
  }
  return days.map((date) => {
    const begins = dayBegin(date, clock);
    const isFromBegin = Temporal.PlainDateTime.compare(from, begins) <= 0;
    const isToEnd = Temporal.PlainDateTime.compare(to, begins.add({ days: 1 })) >= 0;
    const day = date.toString();
    if (isFromBegin && isToEnd) return { day, kind: "closed" };
    if (isToEnd) return { day, kind: "early_close", closes_at: readTime(from) };
    if (isFromBegin) return { day, kind: "late_opening", opens_at: readTime(to) };
    throw new Error(
      `on ${day} the event neither begins nor ends with the trading day (${clock.dayStart}): ` +
        `for an early close let it end at ${begins.add({ days: 1 }).toString().replace("T", " ")}`,
    );
  });
}

function readDate(time: ICAL.Time): Temporal.PlainDate {
  return Temporal.PlainDate.from({ year: time.year, month: time.month, day: time.day });
}

/** The wall clock of the calendar at a time of the file, which may be in UTC, in another zone, or without one. */
function readWall({ time, zone: name }: EventTime, { timeZone }: Clock): Temporal.PlainDateTime {
  if (timeZone === undefined) throw new Error("the event has times: give the zone of the calendar by --time-zone");
  const { year, month, day, hour, minute } = time;
  const wall = Temporal.PlainDateTime.from({ year, month, day, hour, minute });
  const zone = time.zone === ICAL.Timezone.utcTimezone ? "UTC" : name;
  if (!zone) return wall;
  try {
    return wall.toZonedDateTime(zone).withTimeZone(timeZone).toPlainDateTime();
  } catch {
    // A name of the file's own, such as "Eastern Standard Time".
    if (time.zone === ICAL.Timezone.localTimezone) {
      throw new Error(`the file does not say what the time zone ${zone} is`);
    }
    return Temporal.Instant.fromEpochMilliseconds(time.toUnixTime() * 1000).toZonedDateTimeISO(timeZone)
      .toPlainDateTime();
  }
}

function readTime(wall: Temporal.PlainDateTime): string {
  return wall.toPlainTime().toString({ smallestUnit: "minute" });
}

function startsOnDateBefore({ dayStart }: Clock): boolean {
  return dayStart >= "12:00";
}

function dayBegin(date: Temporal.PlainDate, clock: Clock): Temporal.PlainDateTime {
  return date.subtract({ days: startsOnDateBefore(clock) ? 1 : 0 }).toPlainDateTime(clock.dayStart);
}

/** The trading day that a wall clock belongs to. */
function tradingDay(wall: Temporal.PlainDateTime, clock: Clock): Temporal.PlainDate {
  const isBefore = Temporal.PlainTime.compare(wall.toPlainTime(), clock.dayStart) < 0;
  const begin = wall.toPlainDate().subtract({ days: isBefore ? 1 : 0 });
  return startsOnDateBefore(clock) ? begin.add({ days: 1 }) : begin;
}

function datesBetween(first: Temporal.PlainDate, last: Temporal.PlainDate): Temporal.PlainDate[] {
  const { days } = first.until(last);
  return Array.from({ length: days + 1 }, (_, index) => first.add({ days: index }));
}
