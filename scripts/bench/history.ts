import type { Database } from "../lib/database.ts";
import { keepOnly, loadMarket, minute, settle } from "./market.ts";
import { type Measurement, time } from "./measure.ts";

/** 43.2 million minutes of 1,000 symbols would load for minutes: a fifth of the symbols, over the same 30 days. */
const SYMBOLS = 200;
const DAYS = 30;
const FEW_DAYS = 3;

/** What a window of a backfill costs after much history, and after a tenth of it. `open` gives a migrated database. */
export async function measureHistory(open: (name: string) => Promise<Database>, scale: number): Promise<Measurement[]> {
  const symbols = Math.ceil(SYMBOLS / scale);
  const little = await backfill(await open("history_short"), symbols, FEW_DAYS);
  const much = await backfill(await open("history_long"), symbols, DAYS);
  const factor = DAYS / FEW_DAYS;
  return [
    {
      work: `backfill 1m -> 5m, ${symbols} symbols x ${DAYS} days`,
      pgbars: much,
      against: { name: `${factor} times x ${FEW_DAYS} days`, milliseconds: factor * little },
      budget: { text: "at most 1.1x its time", met: much <= 1.1 * factor * little },
    },
  ];
}

async function backfill(db: Database, symbols: number, days: number): Promise<number> {
  try {
    await loadMarket(db, { symbols, minutes: days * 1440, arrival: "history" });
    await settle(db);
    await keepOnly(db, "5m");
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
  } finally {
    await db.close();
  }
}

async function isDue(db: Database, now: Date): Promise<boolean> {
  const [row] = await db.query<{ due: boolean }>(
    "select exists (select from agg.runnable_task where next_run_at <= $1) as due",
    [now],
  );
  return row!.due;
}
