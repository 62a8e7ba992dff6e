import type { Database } from "../lib/database.ts";
import { timeBare } from "./bare.ts";
import { keepOnly, loadMarket, minute, settle } from "./market.ts";
import { type Measurement, median, medianRatio, time } from "./measure.ts";
import { dueSymbols, runTaskByTask } from "./worker.ts";

const SYMBOLS = 10_000;
const HOURS = 4;
/** How many windows the bare statement is ahead of the dispatcher. */
const BARE_AHEAD = 24;
const ROUNDS = 5;
const IDLE_ROUNDS = 50;
const DELAY_MINUTES = 5;

/** The instant at which 5m window number `index` may be decided. */
const dueAt = (index: number) => minute((index + 1) * 5 + DELAY_MINUTES);

/**
 * One 5m window due for each of 10,000 symbols: pgbars on one lane and on two, the bare statement and the loop, each on windows of
 * their own; runs that find nothing due; and a weekend. `open` gives another session.
 */
export async function measureTick(db: Database, open: () => Promise<Database>, scale: number): Promise<Measurement[]> {
  const symbols = Math.ceil(SYMBOLS / scale);
  await loadMarket(db, { symbols, minutes: HOURS * 60, arrival: "live" });
  await keepOnly(db, "5m");
  let window = 0;

  // Every row is read once: what follows differs from a tick after analyze by the statistics alone.
  await db.query("select count(*) from public.data_bars");
  const idleUnanalyzed = await idleRuns(db, dueAt(-1));
  const unanalyzed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    unanalyzed.push(await time(() => tick(db, dueAt(window), symbols)));
    await expectBars(db, window++, symbols);
  }
  await settle(db);
  const pgbars: number[] = [];
  const lanes: number[] = [];
  const bare: number[] = [];
  const second = await open();
  for (let round = 0; round < ROUNDS; round++) {
    pgbars.push(await time(() => tick(db, dueAt(window), symbols)));
    await expectBars(db, window++, symbols);
    lanes.push(await tickOnTwoLanes(db, second, dueAt(window)));
    await expectBars(db, window++, symbols);
    await db.exec("begin");
    // Windows that no later round builds: what is rolled back stays in the table and in the way of the same keys.
    const later = window + BARE_AHEAD;
    bare.push(await timeBare(db, minute(later * 5), minute(later * 5 + 5)));
    await expectBars(db, later, symbols);
    await db.exec("rollback");
  }
  await second.close();
  const loop = await time(async () => await runTaskByTask(db, await dueSymbols(db, dueAt(window)), dueAt(window)));
  await expectBars(db, window, symbols);

  const lastDue = dueAt(window);
  await db.query("update public.data_agg_state set next_run_at = $1", [dueAt(window + 1)]);
  await settle(db);
  const idle = await idleRuns(db, lastDue);

  // A further minute of each symbol, and the run that reads its notes.
  const stored: number[] = [];
  const noted: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    stored.push(await time(() => storeMinute(db, HOURS * 60 + round, symbols)));
    noted.push(await time(() => tick(db, lastDue, 0)));
  }

  // The market closes: the first run builds what is left, and every task falls asleep.
  const monday = HOURS * 60 + 2880;
  await runDue(db, minute(monday - 2000));
  const weekend = await idleRuns(db, minute(monday - 1000));
  // It opens: 10,000 first bars, and the run that reads their notes and wakes their tasks.
  await storeMinute(db, monday, symbols);
  const opening = await time(() => runDue(db, minute(monday + 1)));

  const name = `tick, ${symbols} symbols with one 5m window due each`;
  return [
    {
      work: name,
      pgbars: median(pgbars),
      against: { name: "per-task loop", milliseconds: loop },
      budget: { text: "at least 20x faster", met: loop >= 20 * median(pgbars) },
    },
    {
      work: name,
      pgbars: median(pgbars),
      against: { name: "bare insert ... select", milliseconds: median(bare) },
      budget: { text: "at most 2x its time", met: medianRatio(pgbars, bare) <= 2 },
    },
    {
      work: `${name}, two lanes`,
      pgbars: median(lanes),
      against: { name: "bare insert ... select", milliseconds: median(bare) },
      budget: { text: "none", met: true },
    },
    {
      work: `the same before any analyze, the first ${ROUNDS} ticks`,
      pgbars: median(unanalyzed),
      against: { name: "the tick above", milliseconds: median(pgbars) },
      budget: { text: "at most 1.3x its time", met: median(unanalyzed) <= 1.3 * median(pgbars) },
    },
    {
      work: `idle run, ${symbols} tasks`,
      pgbars: median(idle),
      budget: { text: "at most 2 ms", met: median(idle) <= 2 },
    },
    {
      work: `idle run, ${symbols} tasks, before any analyze`,
      pgbars: median(idleUnanalyzed),
      budget: { text: "at most 2 ms", met: median(idleUnanalyzed) <= 2 },
    },
    {
      work: `a run that reads the notes of a minute of ${symbols} symbols`,
      pgbars: median(noted),
      against: { name: "storing these bars", milliseconds: median(stored) },
      budget: { text: "at most 1.5x its time", met: medianRatio(noted, stored) <= 1.5 },
    },
    {
      work: `a run in a weekend, ${symbols} tasks waiting for data`,
      pgbars: median(weekend),
      against: { name: "the idle run above", milliseconds: median(idle) },
      budget: { text: "at most 1.5x its time", met: median(weekend) <= 1.5 * median(idle) },
    },
    {
      work: `the run that ${symbols} first bars after a weekend wake`,
      pgbars: opening,
      budget: { text: "none", met: true },
    },
  ];
}

/**
 * The tick with a trading session and a calendar, and with every timeframe on, against the plain one. `open` gives a migrated
 * database.
 */
export async function measureVariants(
  open: (name: string) => Promise<Database>,
  scale: number,
): Promise<Measurement[]> {
  const symbols = Math.ceil(SYMBOLS / scale);
  const plain = await openMarket(await open("plain"), symbols, {});
  const sessions = await openMarket(await open("sessions"), symbols, { session: "cme_globex", calendar: "XNYS" });
  const levels = await openMarket(await open("levels"), symbols, { optional: ["15m", "30m", "4h", "1d"] });
  const markets = [plain, sessions, levels];
  for (const market of markets) {
    market.midnight = await time(() => runDue(market.db, dueAt(-1)));
  }
  // Windows in which no longer timeframe ends.
  for (const window of [0, 1, 3, 4, 6, 7, 9, 10]) {
    for (const market of markets) {
      if (window % 3 === 0 && window > 0) await runDue(market.db, dueAt(window - 1));
      await settle(market.db);
      market.ticks.push(await time(() => tick(market.db, dueAt(window), symbols)));
    }
  }
  await Promise.all(markets.map(({ db }) => db.close()));

  const timeframes = 6;
  return [
    {
      work: `tick, ${symbols} symbols with a session and a calendar`,
      pgbars: median(sessions.ticks),
      against: { name: "without", milliseconds: median(plain.ticks) },
      budget: { text: "at most 1.15x its time", met: medianRatio(sessions.ticks, plain.ticks) <= 1.15 },
    },
    {
      work: `tick of 5m, ${symbols} symbols with 15m, 30m, 4h and 1d on`,
      pgbars: median(levels.ticks),
      against: { name: "without", milliseconds: median(plain.ticks) },
      budget: { text: "at most 1.15x its time", met: medianRatio(levels.ticks, plain.ticks) <= 1.15 },
    },
    {
      work: `the run after midnight, ${symbols} symbols with ${timeframes} timeframes due`,
      pgbars: levels.midnight,
      against: { name: "with 5m and 1h due", milliseconds: plain.midnight },
      budget: { text: `at most ${timeframes / 2}x its time`, met: levels.midnight <= timeframes / 2 * plain.midnight },
    },
  ];
}

interface Market {
  db: Database;
  /** Ticks in which only 5m is due. */
  ticks: number[];
  /** The run in which a window of every timeframe is due. */
  midnight: number;
}

/** Minutes from five minutes before midnight on, so that every timeframe has a window that ends at midnight to decide. */
async function openMarket(db: Database, symbols: number, agg: Record<string, unknown>): Promise<Market> {
  await loadMarket(db, {
    symbols,
    minutes: 60,
    arrival: "live",
    metadata: { agg: { ...agg, start_utc: minute(-1440).toISOString() } },
  });
  // The five minutes before midnight, which complete a window of every timeframe.
  await db.exec(`
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
    select b.canonical_symbol, b.ts_utc - interval '5 minutes', b.open, b.high, b.low, b.close, b.vol, b.vwap, b.trade_count
    from public.data_bars as b where b.ts_utc < '${minute(5).toISOString()}'`);
  // What is left to decide of the day before are the windows that end at midnight.
  await db.query(
    "update public.data_agg_state set last_agg_bar_ts_utc = $1::timestamptz - 2 * run_interval_minutes * interval '1 minute'",
    [minute(0)],
  );
  await settle(db);
  await runDue(db, dueAt(-2));
  await settle(db);
  return { db, ticks: [], midnight: NaN };
}

/** One run in each of two lanes, at once. Returns milliseconds. */
async function tickOnTwoLanes(first: Database, second: Database, now: Date): Promise<number> {
  await first.query("select public.schedule_jobs(p_lanes => 2)");
  const milliseconds = await time(() => Promise.all([runDue(first, now), runDue(second, now, 2)]));
  await first.query("select public.schedule_jobs(p_lanes => 1)");
  return milliseconds;
}

/** Stores a bar of each symbol, in one statement. */
async function storeMinute(db: Database, index: number, symbols: number): Promise<void> {
  await db.exec(`
    insert into public.data_bars (canonical_symbol, ts_utc, open, high, low, close, vol, vwap, trade_count)
    select 'S' || lpad(s::text, 5, '0'), timestamptz '${minute(index).toISOString()}', 1, 1, 1, 1, 1, 1, 1
    from generate_series(1, ${symbols}) as s`);
}

async function tick(db: Database, now: Date, due: number): Promise<void> {
  const tasks = await runDue(db, now);
  if (tasks !== due) throw new Error(`${tasks} tasks ran instead of ${due}`);
}

/** One run of the dispatcher. Returns how many tasks it ran, each as often as it ran. */
async function runDue(db: Database, now: Date, lane = 1): Promise<number> {
  const [row] = await db.query<{ tasks: number }>(
    "select (public.agg_run_due(p_now => $1, p_lane => $2) ->> 'tasks')::integer as tasks",
    [now, lane],
  );
  return row!.tasks;
}

async function idleRuns(db: Database, now: Date): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < IDLE_ROUNDS; round++) times.push(await time(() => tick(db, now, 0)));
  return times;
}

async function expectBars(db: Database, window: number, symbols: number): Promise<void> {
  const [row] = await db.query<{ bars: number }>(
    "select count(*) as bars from public.derived_data_bars where ts_utc = $1",
    [minute(window * 5)],
  );
  if (row?.bars !== symbols) throw new Error(`window ${window} has ${row?.bars} bars instead of ${symbols}`);
}
