import type { Calendar } from "../../../model/session.ts";
import type { Database } from "../database.ts";

/** Stores a calendar in place of the one of its name. */
export async function addCalendar(db: Database, { name, timeZone, dayStart, days }: Calendar): Promise<void> {
  await db.query("delete from agg.calendar where name = $1", [name]);
  await db.query("insert into agg.calendar (name, time_zone, day_start) values ($1, $2, $3::time)", [
    name,
    timeZone,
    dayStart,
  ]);
  await db.query(
    `insert into agg.calendar_day (calendar, day, kind, opens_at, closes_at)
     select $1, d.day, d.kind, d."opensAt", d."closesAt"
     from jsonb_to_recordset($2::jsonb) as d (day date, kind text, "opensAt" time, "closesAt" time)`,
    [name, JSON.stringify(days)],
  );
}
