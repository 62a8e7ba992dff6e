import { clipSpans, instantOf, joinSpans, type Span, wallAt } from "./clock.ts";

/** A weekly trading session as `metadata.agg.session` has it: times such as "Mon 09:30" of the wall clock in `time_zone`. */
export interface Session {
  time_zone: string;
  weekly: { open: string; close: string }[];
}

/** Dated exceptions to a session, in local times of `timeZone`. */
export interface Calendar {
  name: string;
  timeZone: string;
  /** When a trading day begins: from 12:00 on on the date before it. */
  dayStart: string;
  days: CalendarDay[];
}

/** What differs on the trading day of a date. Times lie in that day; the time at which it begins also stands for its end. */
export type CalendarDay =
  & { day: string }
  & (
    | { kind: "closed" }
    | { kind: "early_close"; closesAt: string }
    | { kind: "late_opening"; opensAt: string }
    | { kind: "special_opening"; opensAt: string; closesAt: string }
  );

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const WEEK = 7 * 1440;

const daily = (days: string[], opens: string, closes: string) =>
  days.map((day) => ({ open: `${day} ${opens}`, close: `${day} ${closes}` }));

const WORKDAYS = DAYS.slice(0, 5);

/** The sessions that have a name. */
export const PRESETS = {
  fx: { time_zone: "America/New_York", weekly: [{ open: "Sun 17:00", close: "Fri 17:00" }] },
  us_equity: { time_zone: "America/New_York", weekly: daily(WORKDAYS, "09:30", "16:00") },
  us_equity_extended: { time_zone: "America/New_York", weekly: daily(WORKDAYS, "04:00", "20:00") },
  cme_globex: {
    time_zone: "America/Chicago",
    weekly: WORKDAYS.map((day, index) => ({ open: `${DAYS[(index + 6) % 7]} 17:00`, close: `${day} 16:00` })),
  },
} satisfies Record<string, Session>;

/** The open spans of `bounds`, in order of time; without a session and a calendar all of it. */
export function openSpans(session: Session | null, calendar: Calendar | null, bounds: Span): Span[] {
  const usual = session === null ? [bounds] : joinSpans(weeklySpans(session, bounds));
  if (calendar === null) return clipSpans(usual, bounds);
  const exceptions = calendar.days.map((day) => exceptionOf(calendar, day));
  const closed = joinSpans(exceptions.flatMap(({ span, opens }) => opens ? [] : [span]));
  const remaining = usual.flatMap((span) => without(span, closed));
  const opened = exceptions.flatMap(({ span, opens }) => opens ? [span] : []);
  return clipSpans(joinSpans([...remaining, ...opened]), bounds);
}

function exceptionOf({ timeZone, dayStart }: Calendar, day: CalendarDay): { span: Span; opens: boolean } {
  const start = Temporal.PlainTime.from(dayStart);
  const dayOf = Temporal.PlainDate.from(day.day).toPlainDateTime(start);
  const from = start.hour < 12 ? dayOf : dayOf.subtract({ days: 1 });
  const to = from.add({ days: 1 });
  const opening = (time: string) => {
    const sameDate = from.withPlainTime(time);
    return Temporal.PlainDateTime.compare(sameDate, from) < 0 ? sameDate.add({ days: 1 }) : sameDate;
  };
  const close = (time: string) => {
    const sameDate = from.withPlainTime(time);
    return Temporal.PlainDateTime.compare(sameDate, from) <= 0 ? sameDate.add({ days: 1 }) : sameDate;
  };
  const span = (from: Temporal.PlainDateTime, to: Temporal.PlainDateTime) => ({
    from: instantOf(from, timeZone),
    to: instantOf(to, timeZone),
  });
  switch (day.kind) {
    case "closed":
      return { opens: false, span: span(from, to) };
    case "early_close":
      return { opens: false, span: span(close(day.closesAt), to) };
    case "late_opening":
      return { opens: false, span: span(from, opening(day.opensAt)) };
    case "special_opening":
      return { opens: true, span: span(opening(day.opensAt), close(day.closesAt)) };
  }
}

function weeklySpans({ time_zone, weekly }: Session, bounds: Span): Span[] {
  const minutes = weekMinutes(weekly);
  const first = wallAt(bounds.from, time_zone).toPlainDate().subtract({ days: 8 });
  let monday = first.subtract({ days: first.dayOfWeek - 1 }).toPlainDateTime();
  const last = wallAt(bounds.to, time_zone).add({ days: 1 });
  const spans: Span[] = [];
  for (; Temporal.PlainDateTime.compare(monday, last) < 0; monday = monday.add({ weeks: 1 })) {
    const at = (minute: number) => instantOf(monday.add({ minutes: minute }), time_zone);
    spans.push(...minutes.map(({ from, to }) => ({ from: at(from), to: at(to) })));
  }
  return spans;
}

/** The open minutes of a week from Monday on. The last ones may reach into the next week. */
function weekMinutes(weekly: Session["weekly"]): Span[] {
  return joinSpans(weekly.map(({ open, close }) => {
    const [from, to] = [minuteOfWeek(open), minuteOfWeek(close)];
    return { from, to: from < to ? to : to + WEEK };
  }));
}

function without(span: Span, closed: Span[]): Span[] {
  const left: Span[] = [];
  let { from } = span;
  for (const hole of clipSpans(closed, span)) {
    left.push({ from, to: hole.from });
    from = hole.to;
  }
  return joinSpans([...left, { from, to: span.to }]);
}

/** The closed times of the week, the longest first: the minute of the week at which each ends, and its length in minutes. */
export function closedTimes({ weekly }: Session): { opens: number; length: number }[] {
  const isOpen = Array.from({ length: WEEK }, () => false);
  for (const { open, close } of weekly) {
    for (let minute = minuteOfWeek(open); minute !== minuteOfWeek(close); minute = (minute + 1) % WEEK) {
      isOpen[minute] = true;
    }
  }
  const before = (minute: number, by: number) => (minute - by + WEEK) % WEEK;
  return isOpen.flatMap((open, opens) => {
    let length = 0;
    while (open && length < WEEK && !isOpen[before(opens, length + 1)]) length++;
    return length === 0 ? [] : [{ opens, length }];
  }).sort((a, b) => b.length - a.length);
}

/** "Tue 01:30" is 1530. */
function minuteOfWeek(time: string): number {
  const [day, clock] = time.split(" ");
  const [hour, minute] = clock!.split(":");
  return (DAYS.indexOf(day!) * 24 + Number(hour)) * 60 + Number(minute);
}

/** The inverse of the above, for generators: 1530 is "Tue 01:30". */
export function timeOfWeek(minute: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${DAYS[Math.floor(minute / 1440)]} ${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`;
}
