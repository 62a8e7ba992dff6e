/** A weekly trading session as `metadata.agg.session` has it: times such as "Mon 09:30" of the wall clock in `time_zone`. */
export interface Session {
  time_zone: string;
  weekly: { open: string; close: string }[];
}

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Whether the minute that starts at `ts` (milliseconds since 1970, UTC) lies in the session; null is 24x7. */
export function isOpen(session: Session | null, ts: number): boolean {
  if (session === null) return true;
  const local = Temporal.Instant.fromEpochMilliseconds(ts).toZonedDateTimeISO(session.time_zone);
  const minute = ((local.dayOfWeek - 1) * 24 + local.hour) * 60 + local.minute;
  return session.weekly.some((entry) => {
    const opens = minuteOfWeek(entry.open);
    const closes = minuteOfWeek(entry.close);
    return opens < closes ? opens <= minute && minute < closes : minute >= opens || minute < closes;
  });
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
