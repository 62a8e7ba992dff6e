import type { Database } from "../lib/database.ts";
import { loadMarket, minute, settle } from "./market.ts";
import { type Measurement, median, time } from "./measure.ts";
import { dueSymbols, runTaskByTask } from "./worker.ts";

const SYMBOLS = 10_000;
const HOURS = 4;
const ROUNDS = 5;
const IDLE_ROUNDS = 50;
const DELAY_MINUTES = 5;
const POLL_MINUTES = 5;

/** One 5m window due for each of {@link SYMBOLS} symbols: pgbars, the bare statement and the loop, each on windows of their own. */
export async function measureTick(db: Database, bareSql: string): Promise<Measurement[]> {
  await loadMarket(db, { symbols: SYMBOLS, minutes: HOURS * 60, arrival: "live" });
  await db.exec("update public.data_agg_state set enabled = false, status = 'disabled' where timeframe <> '5m'");
  let window = 0;
  const tick = async (now: Date, due: number) => {
    const [row] = await db.query<{ tasks: number }>(
      "select (public.agg_run_due(p_now => $1) ->> 'tasks')::integer as tasks",
      [now],
    );
    if (row?.tasks !== due) throw new Error(`${row?.tasks} tasks ran instead of ${due}`);
  };
  const dueAt = (index: number) => minute((index + 1) * 5 + DELAY_MINUTES);

  // Every row is read once: what follows differs from a tick after analyze by the statistics alone.
  await db.query("select count(*) from public.data_bars");
  const unanalyzed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    unanalyzed.push(await time(() => tick(dueAt(window), SYMBOLS)));
    await expectBars(db, window++);
  }
  await settle(db);
  const pgbars: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    pgbars.push(await time(() => tick(dueAt(window), SYMBOLS)));
    await expectBars(db, window++);
    await db.exec("begin");
    bare.push(
      await time(() => db.query(bareSql, [minute(window * 5), minute(window * 5 + 5)])),
    );
    await expectBars(db, window);
    await db.exec("rollback");
  }
  const loop = await time(async () => await runTaskByTask(db, await dueSymbols(db, dueAt(window)), dueAt(window)));
  await expectBars(db, window);

  const lastDue = dueAt(window);
  await db.exec("update public.data_agg_state set next_run_at = '" + dueAt(window + 1).toISOString() + "'");
  await settle(db);
  const idle: number[] = [];
  for (let round = 0; round < IDLE_ROUNDS; round++) idle.push(await time(() => tick(lastDue, 0)));

  const silence = HOURS * 60 + 2880;
  await db.query("select public.agg_run_due(p_now => $1)", [minute(silence)]);
  await settle(db);
  const waiting: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    waiting.push(await time(() => tick(minute(silence + round * POLL_MINUTES), SYMBOLS)));
  }

  return [
    {
      work: `tick, ${SYMBOLS} symbols with one 5m window due each`,
      pgbars: median(pgbars),
      against: { name: "per-task loop", milliseconds: loop },
      budget: { text: "at least 20x faster", met: loop >= 20 * median(pgbars) },
    },
    {
      work: `tick, ${SYMBOLS} symbols with one 5m window due each`,
      pgbars: median(pgbars),
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
      work: `idle run, ${SYMBOLS} tasks`,
      pgbars: median(idle),
      budget: { text: "under 5 ms", met: median(idle) < 5 },
    },
    {
      work: `${SYMBOLS} tasks asked again in a weekend, every ${POLL_MINUTES} minutes`,
      pgbars: median(waiting),
      budget: { text: "none", met: true },
    },
  ];
}

async function expectBars(db: Database, window: number): Promise<void> {
  const [row] = await db.query<{ bars: number }>(
    "select count(*) as bars from public.derived_data_bars where ts_utc = $1",
    [minute(window * 5)],
  );
  if (row?.bars !== SYMBOLS) throw new Error(`window ${window} has ${row?.bars} bars instead of ${SYMBOLS}`);
}
