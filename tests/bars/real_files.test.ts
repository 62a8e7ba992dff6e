import { parse } from "csv-parse/sync";
import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import {
  aggregate,
  type Bar,
  DAY,
  type DayClose,
  DEFAULT_DELAYS,
  DERIVED,
  type DerivedTimeframe,
  expectAt,
  HOUR,
  MIDNIGHT_UTC,
  OPTIONAL,
} from "../../model/aggregator.ts";
import type { PRESETS } from "../../model/session.ts";
import { rulesOf } from "../../model/world.ts";
import { insertMinutes, readDerived } from "../support/bars.ts";
import { runDue } from "../support/dispatch.ts";
import { openEngine } from "../support/engine.ts";
import { assertBars } from "../support/reference.ts";

const DATA = new URL("../../../shared/data/", import.meta.url);

interface File {
  symbol: string;
  start: string;
  session: keyof typeof PRESETS | "24x7";
  dayClose: DayClose;
  /** From the day's close to midnight: a clock that is fast by as much shows the date of the trading day. */
  hoursToMidnight: number;
  /** The open hours of a trading day, from its start on, and the days of the week that are one; 1 is Monday. */
  openHours: number;
  days: number[];
  /** How many days have a bar. */
  barDays: number;
}

const WORKDAYS = [1, 2, 3, 4, 5];

const FILES: File[] = [
  {
    symbol: "GBPUSD",
    start: "2012-02-01T00:00:00Z",
    session: "fx",
    dayClose: { time: "17:00", time_zone: "America/New_York" },
    hoursToMidnight: 7,
    openHours: 24,
    days: WORKDAYS,
    barDays: 20,
  },
  {
    symbol: "6EH4",
    start: "2024-01-01T00:00:00Z",
    session: "cme_globex",
    dayClose: { time: "17:00", time_zone: "America/Chicago" },
    hoursToMidnight: 7,
    openHours: 23,
    days: WORKDAYS,
    barDays: 22,
  },
  {
    symbol: "XBTUSDT",
    start: "2025-11-10T00:00:00Z",
    session: "24x7",
    dayClose: MIDNIGHT_UTC,
    hoursToMidnight: 0,
    openHours: 24,
    days: [...WORKDAYS, 6, 7],
    barDays: 0,
  },
];

for (const file of FILES) {
  const url = new URL(`${file.symbol}_1m.csv.gz`, DATA);
  Deno.test({
    name: `${file.symbol}: the bars of a real file with session ${file.session} are what its lines say`,
    ignore: !(await isFile(url)),
    fn: async () => {
      const lines = await readBars(url);
      // In the same open hour two weeks later, so that every window of the file is decided.
      const last = lines.at(-1)!;
      const minutes = [...lines, { ...last, ts: last.ts + 14 * DAY }];
      const now = last.ts + 15 * DAY;
      const { symbol, start, session, dayClose } = file;
      const metadata = { start_utc: start, session, day_close: dayClose, optional: OPTIONAL };

      await using engine = await openEngine();
      const { db } = engine;
      await db.query(
        "insert into public.core_asset_registry_all (canonical_symbol, active, metadata) values ($1, true, $2::jsonb)",
        [symbol, { agg: metadata }],
      );
      await insertMinutes(db, symbol, minutes);
      const run = await runDue(db, new Date(now), { budget: "10 minutes" });
      assert.deepEqual([run.stopped_reason, run.failed], ["idle", 0]);

      const coverage = async (timeframe: DerivedTimeframe) =>
        (await readDerived(db, symbol, timeframe)).map((bar) => [bar.ts, bar.coveredMinutes, bar.expectedMinutes]);
      const days = countDays(file, lines);
      assert.equal(days.length, file.barDays);
      assert.deepEqual(await coverage("1d"), days, "days");
      assert.deepEqual(await coverage("1h"), countHours(file, lines), "hours");

      const rules = rulesOf(metadata);
      const expected = expectAt(minutes, aggregate(minutes, rules), rules, DEFAULT_DELAYS, now);
      for (const timeframe of DERIVED) {
        assertBars(await readDerived(db, symbol, timeframe), expected.bars[timeframe], timeframe);
      }
    },
  });
}

/** Start, minutes and open minutes of the trading days that have a bar, counted from the lines of the file. */
function countDays(file: File, lines: Bar[]): number[][] {
  const { dayClose, hoursToMidnight, openHours } = file;
  const open = lines.filter(({ ts }) => isOpen(file, ts));
  const byDate = Map.groupBy(open, ({ ts }) => tradingClock(file, ts).toPlainDate().toString());
  return [...byDate].flatMap(([date, bars]) => {
    const midnight = Temporal.PlainDate.from(date).toPlainDateTime().subtract({ hours: hoursToMidnight });
    const starts = midnight.toZonedDateTime(dayClose.time_zone).epochMilliseconds;
    const hasBar = starts >= Date.parse(file.start) && bars.length >= openHours * 60 * 0.6;
    return hasBar ? [[starts, bars.length, openHours * 60]] : [];
  });
}

/** The same of the hours. All sessions open and close on the hour. */
function countHours(file: File, lines: Bar[]): number[][] {
  const open = lines.filter(({ ts }) => isOpen(file, ts));
  const byHour = Map.groupBy(open, ({ ts }) => ts - ts % HOUR);
  return [...byHour].flatMap(([ts, bars]) => bars.length >= 36 ? [[ts, bars.length, 60]] : []);
}

function isOpen(file: File, ts: number): boolean {
  const { dayOfWeek, hour } = tradingClock(file, ts);
  return file.days.includes(dayOfWeek) && hour < file.openHours;
}

function tradingClock({ dayClose, hoursToMidnight }: File, ts: number): Temporal.PlainDateTime {
  const wall = Temporal.Instant.fromEpochMilliseconds(ts).toZonedDateTimeISO(dayClose.time_zone).toPlainDateTime();
  return wall.add({ hours: hoursToMidnight });
}

async function readBars(url: URL): Promise<Bar[]> {
  const rows: Record<string, string>[] = parse(gunzipSync(await Deno.readFile(url)), { columns: true });
  const number = (text: string | undefined) => text ? Number(text) : null;
  return rows.map((row) => ({
    ts: Date.parse(row["ts_utc"]!),
    open: Number(row["open"]),
    high: Number(row["high"]),
    low: Number(row["low"]),
    close: Number(row["close"]),
    vol: number(row["vol"]),
    vwap: number(row["vwap"]),
    tradeCount: number(row["trade_count"]),
    isPartial: false,
  }));
}

async function isFile(url: URL): Promise<boolean> {
  try {
    return (await Deno.stat(url)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
