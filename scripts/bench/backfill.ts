import type { Database } from "../lib/database.ts";
import { loadMarket, minute, settle, START } from "./market.ts";
import { type Measurement, median, time } from "./measure.ts";
import { dueSymbols, runTaskByTask } from "./worker.ts";

const SYMBOLS = 100;
const DAYS = 30;
const ROUNDS = 3;
/** The loop takes minutes and is linear in symbols: it runs for this many, and its time is scaled to all. */
const LOOP_SYMBOLS = 10;
const UNTIL = minute(DAYS * 1440 + 5);

/** 1m to 5m over {@link SYMBOLS} symbols and {@link DAYS} days: pgbars against the bare statement, in turns, and the loop. */
export async function measureBackfill(db: Database, bareSql: string): Promise<Measurement[]> {
  await loadMarket(db, { symbols: SYMBOLS, minutes: DAYS * 1440, arrival: "history" });
  await settle(db);
  await db.exec("update public.data_agg_state set enabled = false, status = 'disabled' where timeframe <> '5m'");
  const dispatch = await db.query<{ command: string }>(
    "select command from agg.job_list($1) where job_name = 'pgbars:dispatch'",
    [UNTIL],
  );

  const pgbars: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await reset(db);
    pgbars.push(await time(() => db.query(dispatch[0]!.command)));
    const built = await fingerprint(db);
    await reset(db);
    bare.push(await time(() => db.query(bareSql, [START, UNTIL])));
    await expectSame(db, built);
  }
  await reset(db);
  const looped = (await dueSymbols(db, UNTIL)).slice(0, LOOP_SYMBOLS);
  const loop = await time(() => runTaskByTask(db, looped, UNTIL)) * SYMBOLS / LOOP_SYMBOLS;

  const ratios = pgbars.map((milliseconds, round) => milliseconds / bare[round]!);
  return [
    {
      work: `backfill 1m -> 5m, ${SYMBOLS} symbols x ${DAYS} days`,
      pgbars: median(pgbars),
      against: { name: "bare insert ... select", milliseconds: median(bare) },
      budget: { text: "at most 1.3x its time", met: median(ratios) <= 1.3 },
    },
    {
      work: `backfill 1m -> 5m, ${SYMBOLS} symbols x ${DAYS} days`,
      pgbars: median(pgbars),
      against: { name: `per-window loop (${LOOP_SYMBOLS} symbols, scaled)`, milliseconds: loop },
      budget: { text: "at least 8x faster", met: loop >= 8 * median(pgbars) },
    },
  ];
}

async function reset(db: Database): Promise<void> {
  await db.exec(`
    truncate public.derived_data_bars;
    select public.agg_bootstrap_cursor(canonical_symbol, timeframe) from public.data_agg_state where timeframe = '5m' and enabled;
  `);
  await settle(db);
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
  if (found !== expected) throw new Error(`the two ways built different bars: ${expected} and ${found}`);
}
