import type { Database } from "../lib/database.ts";
import { timeBare } from "./bare.ts";
import { keepOnly, loadMarket, minute, settle, START, startOver } from "./market.ts";
import { type Measurement, median, medianRatio, time } from "./measure.ts";
import { peakMemory } from "./memory.ts";
import { dueSymbols, runTaskByTask } from "./worker.ts";

const DAYS = 30;
const ROUNDS = 5;
const UNTIL = minute(DAYS * 1440 + 5);

/**
 * 1m to 5m over 100 symbols and {@link DAYS} days: pgbars on one lane and on two, and the bare statement, in turns; the loop; and
 * the memory of the backend. `open` gives another session.
 */
export async function measureBackfill(
  db: Database,
  open: () => Promise<Database>,
  scale: number,
): Promise<Measurement[]> {
  const symbols = Math.ceil(100 / scale);
  /** The loop takes minutes and is linear in symbols: it runs for this many, and its time is scaled to all. */
  const loopSymbols = Math.ceil(symbols / 10);
  await loadMarket(db, { symbols, minutes: DAYS * 1440, arrival: "history" });
  await settle(db);
  await keepOnly(db, "5m");

  const second = await open();
  const pgbars: number[] = [];
  const lanes: number[] = [];
  const bare: number[] = [];
  let memory = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await startOver(db);
      const [one] = await commands(db, 1);
      memory = Math.max(memory, await peakMemory(db, async () => pgbars.push(await time(() => db.query(one!)))));
      const built = await fingerprint(db);
      await startOver(db);
      const [first, other] = await commands(db, 2);
      lanes.push(await time(() => Promise.all([db.query(first!), second.query(other!)])));
      await expectSame(db, built);
      await startOver(db);
      bare.push(await timeBare(db, START, UNTIL));
      await expectSame(db, built);
    }
    await commands(db, 1);
  } finally {
    await second.close();
  }
  await startOver(db);
  const looped = (await dueSymbols(db, UNTIL)).slice(0, loopSymbols);
  const loop = await time(async () => await runTaskByTask(db, looped, UNTIL)) * symbols / loopSymbols;

  const work = `backfill 1m -> 5m, ${symbols} symbols x ${DAYS} days`;
  return [
    {
      work,
      pgbars: median(pgbars),
      against: { name: "bare insert ... select", milliseconds: median(bare) },
      budget: { text: "at most 1.1x its time", met: medianRatio(pgbars, bare) <= 1.1 },
    },
    {
      work: `${work}, two lanes`,
      pgbars: median(lanes),
      against: { name: "bare insert ... select", milliseconds: median(bare) },
      budget: { text: "at most 0.65x its time", met: medianRatio(lanes, bare) <= 0.65 },
    },
    {
      work,
      pgbars: median(pgbars),
      against: { name: `per-window loop (${loopSymbols} symbols, scaled)`, milliseconds: loop },
      budget: { text: "at least 8x faster", met: loop >= 8 * median(pgbars) },
    },
    {
      work: `memory of the backend in this backfill`,
      pgbars: memory,
      unit: "MB",
      budget: { text: "at most 300 MB", met: memory <= 300 },
    },
  ];
}

/** The commands of the dispatch jobs of that many lanes. */
async function commands(db: Database, lanes: number): Promise<string[]> {
  await db.query("select public.schedule_jobs(p_lanes => $1)", [lanes]);
  const rows = await db.query<{ command: string }>(
    "select command from agg.job_list($1) where job_name like 'pgbars:dispatch%' order by job_name",
    [UNTIL],
  );
  return rows.map((row) => row.command);
}

async function fingerprint(db: Database): Promise<string> {
  const [sum] = await db.query<{ sum: string }>(`
    select count(*) || ' ' || sum(hashtextextended(
      concat_ws(' ', canonical_symbol, timeframe, ts_utc, open, high, low, close, trade_count, source_candles, quality_score), 0
    )::numeric) as sum
    from public.derived_data_bars
  `);
  return sum!.sum;
}

async function expectSame(db: Database, expected: string): Promise<void> {
  const found = await fingerprint(db);
  if (found !== expected) throw new Error(`the ways built different bars: ${expected} and ${found}`);
}
