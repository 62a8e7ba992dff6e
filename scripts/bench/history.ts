import type { Database } from "../lib/database.ts";
import { keepOnly, loadMarket, minute, settle, startOver } from "./market.ts";
import { type Measurement, median, medianRatio, time } from "./measure.ts";

const SYMBOLS = 1000;
const DAYS = 30;
const FEW_DAYS = 3;
const ROUNDS = 3;

/** What a window of a backfill costs in much history and in a tenth of it, in turns. `open` gives a migrated database. */
export async function measureHistory(open: (name: string) => Promise<Database>, scale: number): Promise<Measurement[]> {
  const symbols = Math.ceil(SYMBOLS / scale);
  const short = await load(await open("history_short"), symbols, FEW_DAYS);
  const long = await load(await open("history_long"), symbols, DAYS);
  const factor = DAYS / FEW_DAYS;
  const little: number[] = [];
  const much: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    little.push(factor * await backfill(short, symbols, FEW_DAYS));
    much.push(await backfill(long, symbols, DAYS));
  }
  await Promise.all([short.close(), long.close()]);
  return [
    {
      work: `backfill 1m -> 5m, ${symbols} symbols x ${DAYS} days`,
      pgbars: median(much),
      against: { name: `${factor} times x ${FEW_DAYS} days`, milliseconds: median(little) },
      budget: { text: "at most 1.1x its time", met: medianRatio(much, little) <= 1.1 },
    },
  ];
}

async function load(db: Database, symbols: number, days: number): Promise<Database> {
  await loadMarket(db, { symbols, minutes: days * 1440, arrival: "history" });
  await settle(db);
  await keepOnly(db, "5m");
  return db;
}

async function backfill(db: Database, symbols: number, days: number): Promise<number> {
  await startOver(db);
  const [job] = await db.query<{ command: string }>(
    "select command from agg.job_list($1) where job_name = 'pgbars:dispatch'",
    [minute(days * 1440 + 5)],
  );
  // Each call stops after 40 seconds.
  const spent = await time(async () => {
    do await db.query(job!.command); while (await isDue(db, minute(days * 1440 + 5)));
  });
  const [row] = await db.query<{ bars: number }>("select count(*) as bars from public.derived_data_bars");
  if (row?.bars !== symbols * days * 288) throw new Error(`${row?.bars} bars instead of ${symbols * days * 288}`);
  return spent;
}

async function isDue(db: Database, now: Date): Promise<boolean> {
  const [row] = await db.query<{ due: boolean }>(
    "select exists (select from agg.runnable_task where next_run_at <= $1) as due",
    [now],
  );
  return row!.due;
}
