import Table from "cli-table3";
import { type Database, openServer } from "../lib/database.ts";
import { describeError } from "../../cli/lib/error.ts";
import type { ReadDay } from "./day.ts";
import type { CalendarOptions } from "./options.ts";
import { readCsv } from "./read_csv.ts";
import { type Clock, readIcs } from "./read_ics.ts";

interface Imported {
  days: number;
  added: number;
  removed: number;
  unchanged: number;
  tasks: number;
}

/** Reads the file, prints what it says, and stores it where a database is given. Throws an Error with lines for people. */
export async function runCalendar(options: CalendarOptions): Promise<void> {
  if (options.db === undefined) {
    print(await readFile(options.file, { timeZone: options.timeZone, dayStart: options.dayStart ?? "00:00" }));
    console.log("Nothing is stored: --db names the database.");
    return;
  }
  const db = await connect(options.db);
  try {
    const days = await readFile(options.file, await readClock(db, options));
    print(days);
    const [row] = await db.query<{ result: Imported }>(
      "select public.import_calendar($1, $2::jsonb, $3, $4::time) as result",
      [options.name, JSON.stringify(days.map(({ day }) => day)), options.timeZone, options.dayStart],
    );
    const { added, removed, unchanged, tasks } = row!.result;
    console.log(`${options.name}: days added ${added}, removed ${removed}, unchanged ${unchanged}.`);
    if (tasks > 0) console.log(`Tasks that build past windows again, since other minutes are open now: ${tasks}.`);
  } finally {
    await db.close();
  }
}

async function connect(url: string): Promise<Database> {
  try {
    return await openServer(url);
  } catch (cause) {
    throw new Error(`--db: cannot connect: ${describeError(cause)}`, { cause });
  }
}

/** What is not given is as the calendar has it. */
async function readClock(db: Database, { name, timeZone, dayStart }: CalendarOptions): Promise<Clock> {
  const [stored] = await db.query<{ time_zone: string; day_start: string }>(
    "select c.time_zone, to_char(c.day_start, 'HH24:MI') as day_start from agg.calendar as c where c.name = $1",
    [name],
  );
  return { timeZone: timeZone ?? stored?.time_zone, dayStart: dayStart ?? stored?.day_start ?? "00:00" };
}

async function readFile(path: string, clock: Clock): Promise<ReadDay[]> {
  const format = /\.(csv|ics)$/i.exec(path)?.[1]?.toLowerCase();
  if (format === undefined) throw new Error(`${path}: the name must end in .csv or .ics`);
  let days: ReadDay[];
  try {
    const text = await Deno.readTextFile(path);
    days = format === "csv" ? readCsv(text) : readIcs(text, clock);
  } catch (cause) {
    throw new Error(describeError(cause).replaceAll(/^/gm, `${path}: `), { cause });
  }
  return days.sort((a, b) => a.day.day.localeCompare(b.day.day));
}

function print(days: ReadDay[]): void {
  const table = new Table({
    head: ["day", "", "kind", "opens", "closes", "read from"],
    style: { head: [], border: [], compact: true },
  });
  for (const { day: { day, kind, opens_at, closes_at }, origin } of days) {
    const weekday = Temporal.PlainDate.from(day).toLocaleString("en-US", { weekday: "short" });
    table.push([day, weekday, kind.replace("_", " "), opens_at ?? "", closes_at ?? "", origin]);
  }
  console.log(`${table}`);
}
