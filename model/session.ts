import { clipSpans, instantOf, joinSpans, type Span, wallAt } from "./clock.ts";

/** A weekly trading session as `metadata.agg.session` has it: times such as "Mon 09:30" of the wall clock in `time_zone`. */
export interface Session {
  time_zone: string;
  weekly: { open: string; close: string }[];
}

/** Dated exceptions, on the wall clock of a zone, such as "2026-12-24T13:00". */
export interface Calendar {
  timeZone: string;
  /** Closed whatever the session says. */
  closed: WallSpan[];
  /** Open whatever the session says. */
  open: WallSpan[];
}

/** From one time on the wall up to another one, which is not part of it. */
interface WallSpan {
  from: string;
  to: string;
}

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
  const special = (spans: WallSpan[]) =>
    joinSpans(spans.map(({ from, to }) => ({
      from: instantOf(Temporal.PlainDateTime.from(from), calendar.timeZone),
      to: instantOf(Temporal.PlainDateTime.from(to), calendar.timeZone),
    })));
  const closed = special(calendar.closed);
  const remaining = usual.flatMap((span) => without(span, closed));
  return clipSpans(joinSpans([...remaining, ...special(calendar.open)]), bounds);
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
